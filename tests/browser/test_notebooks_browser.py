"""The course's notebooks in a real JupyterLab: as they are stored, they show their pictures; run, their live widgets.

`course.py test` runs this file on a machine that plays one without network and corpora; what they compute from the real ones is
compared by nbval.
"""

from pathlib import Path

import pytest

from helpers import corpora, paths
from helpers.notebooks import execute

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS, "notebooks/ is empty, so nothing was run"


@pytest.fixture
def nothing_fetched():
    """Where no corpora are to be had, none may be there afterwards; where they are, there is nothing to see."""
    corpora_are_here = corpora.available("shakespeare")
    yield
    fetched = [path.name for path in paths.cache().rglob("*") if path.suffix in (".txt", ".tsv", ".gz")]
    assert corpora_are_here or fetched == []


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("nothing_fetched")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_jupyterlab_and_its_widgets_come_alive(request, path):
    try:
        open_notebook = request.getfixturevalue("open_notebook")
    except pytest.skip.Exception as no_browser:  # its kernel can be asked all the same
        assert execute(path)[1].cells > 0
        pytest.skip(f"the notebook ran to its end, but nobody saw whether its widgets come alive: {no_browser}")
    lab = open_notebook(path, windowing="none")
    pictures = lab.page.locator(".jp-RenderedImage img").count()
    assert pictures >= 3, "a stored notebook shows its figures and the pictures of its widgets without being run"
    assert lab.page.locator(".lm-widget").count() == 0
    lab.run_all(timeout=1300)  # a guard against hanging: an old processor takes ten minutes for notebook 07 on one thread
    lab.page.locator(".lm-widget").first.wait_for(timeout=20_000)
    assert lab.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
