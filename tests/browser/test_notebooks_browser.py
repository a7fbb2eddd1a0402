"""The course's notebooks in a real JupyterLab: as they are stored, they show their pictures; run, their live widgets."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_jupyterlab_and_its_widgets_come_alive(open_notebook, path):
    lab = open_notebook(path, windowing="none")
    pictures = lab.page.locator(".jp-RenderedImage img").count()
    assert pictures >= 3, "a stored notebook shows its figures and the pictures of its widgets without being run"
    assert lab.page.locator(".lm-widget").count() == 0
    lab.run_all(timeout=1300)  # a guard against hanging: an old processor takes ten minutes for notebook 07 on one thread
    lab.page.locator(".lm-widget").first.wait_for(timeout=20_000)
    assert lab.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
