"""Every notebook runs to its end, its asserts holding, on a machine that has no network and has fetched nothing."""

import os
from pathlib import Path

import pytest

from helpers import corpora
from helpers.notebooks import execute

PATHS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """Corpora come from a folder that does not exist, and the cache is empty."""
    monkeypatch.setenv("LM_COURSE_MIRROR", str(tmp_path / "no-corpora-here"))
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path / "cache"))
    if corpora.available("shakespeare"):
        pytest.skip("the user's own cache holds the corpora, so this machine cannot play one without them")
    return tmp_path / "cache"


def test_there_are_notebooks():
    assert PATHS, "notebooks/ is empty, so nothing was executed"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_runs_without_corpora(path, no_network):
    _, measured = execute(path)
    assert measured.cells > 0
    assert not any(found.suffix in (".txt", ".tsv", ".gz") for found in no_network.rglob("*")), os.listdir(no_network)
