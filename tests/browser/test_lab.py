"""The set-up of the browser tests itself: a notebook opens, runs to its end and shows a widget, without any other host."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SLIDER = "import ipywidgets\nslider = ipywidgets.IntSlider(value=3, description='order')\nslider"


@pytest.mark.parametrize("windowing", ["none", "full"])
def test_a_notebook_runs_and_shows_a_widget(open_notebook, windowing):
    slow = new_code_cell("import time\ntime.sleep(1)\n6 * 7", execution_count=9)  # a stored count is not a finished cell
    cells = [new_markdown_cell("# $x^2$"), new_code_cell(SLIDER, execution_count=8), slow, new_code_cell("")]
    notebook = new_notebook(cells=cells)
    lab = open_notebook(notebook, windowing=windowing)
    cells = lab.run_all()
    assert [cell.execution_count for cell in cells] == [1, 2]
    assert cells[1].outputs[0].data["text/plain"] == "42"
    lab.page.locator(".widget-slider").wait_for(timeout=10_000)


def test_the_debugger_is_off(open_notebook):
    lab = open_notebook(new_notebook(cells=[new_code_cell("1")]))
    assert lab.page.evaluate("() => window.jupyterapp.hasPlugin('@jupyterlab/notebook-extension:tracker')")
    assert not lab.page.evaluate("() => window.jupyterapp.hasPlugin('@jupyterlab/debugger-extension:main')")


def test_run_all_fails_where_a_cell_raises(open_notebook):
    lab = open_notebook(new_notebook(cells=[new_code_cell("n = 0\nassert n > 1")]))
    with pytest.raises(pytest.fail.Exception, match=r"AssertionError: \n-+> 2 assert n > 1"):  # an assert has no other words
        lab.run_all()


def test_other_hosts_are_out_of_reach_and_noted(open_notebook):
    lab = open_notebook(new_notebook(cells=[new_code_cell("1")]))
    failed = lab.page.evaluate("() => fetch('https://example.org/').then(() => false, () => true)")
    assert failed
    assert lab.elsewhere == ["https://example.org/"]
    lab.elsewhere.clear()
    assert len(lab.console_errors) == 1
    lab.console_errors.clear()
