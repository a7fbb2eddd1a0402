"""What JupyterLab writes of a widget into a notebook: its picture, so that the notebook shows it when it is opened again.

A widget's output holds its live view, its picture and a line of text. JupyterLab shows the live view wherever it is named; with
the kernel gone it then says "Error displaying widget: model not found" and never looks at the picture beside it. So the view's
name stays out of the file. The page that saves keeps its live view; one that is opened anew shows the picture, until the cell
is run. A view without a picture stays as it is.

    jupyter lab --FileContentsManager.pre_save_hook=helpers.saved_pictures.keep_pictures
"""

from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PICTURES = ("image/png", "image/svg+xml", "text/html")


def keep_pictures(model: dict[str, Any], **about: Any) -> None:
    """Jupyter's hook before a file is saved: takes the live views out of the model of a notebook, in place."""
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    for cell in model["content"].get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if any(kind in data for kind in PICTURES):
                data.pop(WIDGET_VIEW, None)
