"""What all widgets of the course share: one look, one way of drawing text, and the static picture.

A widget shows itself in three forms, and the page takes the best it can: the live view where a kernel runs, a picture or
text in a saved notebook and on GitHub, and one line of `text/plain`. Validation compares the text, not pictures or live views.
"""

import base64
import io
import re
import unicodedata
import warnings
from pathlib import Path

import anywidget
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STATIC = Path(__file__).parent / "static"
INK, GREY, PALE = "#1a1a1a", "#595959", "#e3e3e3"
SPACE, NEWLINE = "␣", "↵"
MARKS = {" ": SPACE, "\n": NEWLINE, "\t": "⇥"}
SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors: invisible, though printable to Python
NO_CHARACTER = re.compile("([\udc80-\udcff]+)")  # what "surrogateescape" makes of bytes that are no character


def script(*names: str) -> str:
    """One self-contained ES module: the shared functions, then the widget's own parts (a widget's module cannot import)."""
    return "\n".join((STATIC / part).read_text(encoding="utf-8") for part in ("base.js", *names))


def visible(token: str) -> str:
    """A token with all that leaves no mark made visible: " the" → "␣the", a zero-width joiner → "‹U+200D›"."""
    if token.isalnum():  # most tokens
        return token
    bare = unicodedata.category(token[:1] or "a").startswith("M")  # an accent without its letter gets a circle to stand on
    return "◌" * bare + "".join(map(_visible, token)) or "∅"


def _visible(character: str) -> str:
    if character in MARKS:
        return MARKS[character]
    hidden = not character.isprintable() or SELECTOR.match(character)
    return f"‹U+{ord(character):04X}›" if hidden else character


def visible_bytes(data: bytes) -> str:
    """The same for a token's bytes; those that are no whole character are shown in hexadecimal: b" \\xe4\\xbd" → "␣‹E4 BD›"."""
    pieces = NO_CHARACTER.split(data.decode("utf-8", "surrogateescape"))
    shown = [
        f"‹{hex_bytes(piece.encode('utf-8', 'surrogateescape'))}›" if i % 2 else visible(piece)
        for i, piece in enumerate(pieces)
        if piece
    ]
    return "".join(shown) or visible("")


def hex_bytes(data: bytes) -> str:
    """b" the" → "20 74 68 65"."""
    return data.hex(" ").upper()


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
        figure.savefig(buffer, format="png", metadata={"Software": None})
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

    def static(self) -> dict[str, str]:
        """The picture as PNG."""
        return {"image/png": base64.b64encode(to_png(self.picture())).decode("ascii")}
