"""What is written of a widget when its notebook is saved."""

import copy

import nbformat
from jupyter_server.services.contents.filemanager import FileContentsManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.saved_pictures import WIDGET_VIEW, keep_pictures

VIEW = {WIDGET_VIEW: {"model_id": "1", "version_major": 2, "version_minor": 1}, "text/plain": "a widget"}


def make_notebook() -> nbformat.NotebookNode:
    outputs = [new_output("display_data", VIEW | {"image/png": "aGFsbG8="}), new_output("stream", text="said")]
    foreign = new_code_cell("slider", outputs=[new_output("display_data", VIEW)])
    return new_notebook(cells=[new_markdown_cell("x"), new_code_cell("explorer", outputs=outputs), foreign])


def test_a_widget_with_a_picture_is_saved_as_its_picture_and_nothing_else_changes(tmp_path):
    manager = FileContentsManager(root_dir=str(tmp_path), pre_save_hook="helpers.saved_pictures.keep_pictures")
    notebook = make_notebook()
    manager.save({"type": "notebook", "format": "json", "content": copy.deepcopy(notebook)}, "a.ipynb")
    saved = nbformat.read(tmp_path / "a.ipynb", as_version=4)
    assert list(saved.cells[1].outputs[0].data) == ["image/png", "text/plain"]
    notebook.cells[1].outputs[0].data.pop(WIDGET_VIEW)
    assert [cell.get("outputs") for cell in saved.cells] == [cell.get("outputs") for cell in notebook.cells]
    assert WIDGET_VIEW in saved.cells[2].outputs[0].data  # it has nothing else to show


def test_other_files_pass():
    for model in ({"type": "file", "content": "x"}, {"type": "notebook"}, {"type": "directory", "content": None}):
        before = copy.deepcopy(model)
        keep_pictures(model, path="a", contents_manager=None)
        assert model == before
