"""What all widgets of the course share: one look, one way of drawing text, and the static picture.

A widget shows itself in three forms, and the page takes the best it can: the live view where a kernel runs, a picture or
text in a saved notebook and on GitHub, and one line of `text/plain`. Validation compares the text, not pictures or live views.
"""

import base64
import io
import re
import warnings
from pathlib import Path

import anywidget
import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.tokenizers.visible import hex_bytes, visible, visible_bytes  # noqa: F401, what the widgets draw text with

STATIC = Path(__file__).parent / "static"
INK, GREY, PALE = "#1a1a1a", "#595959", "#e3e3e3"


def script(*names: str) -> str:
    """One self-contained ES module: the shared functions, then the widget's own parts (a widget's module cannot import)."""
    return scripts("base.js", *names)


def scripts(*names: str) -> str:
    """These parts of a module, one after the other."""
    return "\n".join(dense((STATIC / part).read_text(encoding="utf-8")) for part in names)


def dense(source: str) -> str:
    """A script without what only its readers need, comments and indentation: a page gets one copy for each widget.

    A comment that ends a line goes only where it has no quotes, so that "a // b" stays whole.
    """
    lines = (re.sub(r"\s+// [^\"`]*$", "", line.strip()) for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def new_figure(height: float) -> Figure:
    """An empty white figure, 8 inches wide, that belongs to no window and changes no global state of matplotlib."""
    figure = Figure(figsize=(8, height), dpi=100, facecolor="white", layout="none")  # whatever the notebook's style says
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure as PNG bytes, the same bytes for the same figure."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a script that the font lacks shows as boxes, silently
        figure.savefig(buffer, format="png", metadata={"Software": None}, pil_kwargs={"optimize": True})
    return buffer.getvalue()


def to_svg(figure: Figure, title: str) -> str:
    """The figure as SVG, its text as outlines so that it needs no font; the same text for the same figure."""
    buffer = io.StringIO()
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "lm-widget"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    return buffer.getvalue()


class CourseWidget(anywidget.AnyWidget):
    """A widget that says what it is in words (`summary`) and brings what stands in its place in a saved notebook (`static`)."""

    _css = STATIC / "widgets.css"

    def summary(self) -> str:
        """One line that says what the widget shows, the same in every run."""
        raise NotImplementedError(f"{type(self).__name__} must define summary()")

    def static(self) -> dict[str, str]:
        """MIME type → content of what a saved notebook shows, the same in every run."""
        raise NotImplementedError(f"{type(self).__name__} must define static()")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()})"

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | self.static() | {"text/plain": repr(self)}, metadata


class PicturedWidget(CourseWidget):
    """A widget that can draw itself."""

    def picture(self) -> Figure:
        """What the widget shows now, as a figure."""
        raise NotImplementedError(f"{type(self).__name__} must define picture()")

    def to_png(self, path: str | Path) -> None:
        """Write what the widget shows now into a PNG file, 8 inches wide."""
        Path(path).write_bytes(to_png(self.picture()))

    def to_svg(self, path: str | Path) -> None:
        """Write the same as SVG, for slides: sharp at every size."""
        Path(path).write_text(to_svg(self.picture(), self.summary()), encoding="utf-8")

    def static(self) -> dict[str, str]:
        """The picture as PNG."""
        return {"image/png": base64.b64encode(to_png(self.picture())).decode("ascii")}
