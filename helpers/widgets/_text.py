"""A widget that reads a text: what TokenView and NextTokens share."""

import json

import traitlets

from helpers.widgets._base import PicturedWidget


class TextWidget(PicturedWidget):
    """A text box whose text Python reads, and a `frame` that comes back: all that a view shows of that text.

    The text travels in messages, and back as ASCII JSON, so that whatever can be typed or pasted arrives, even half of a
    surrogate pair, which is no valid text. `text` can be set from Python too.
    """

    text = traitlets.Unicode()
    frame = traitlets.Dict().tag(sync=True)

    def __init__(self, text: str):
        super().__init__(text=text)
        self.on_msg(lambda widget, content, buffers: self._receive(content))
        self.observe(lambda change: self._update(), names=["text"])
        self._update()

    def read(self) -> dict:
        """What a view shows of the text; called once for each text."""
        raise NotImplementedError(f"{type(self).__name__} must define read()")

    def _receive(self, content: object) -> None:
        """A text from the browser; a frame answers it even where nothing has changed."""
        if not isinstance(content, dict) or content.get("type") != "text" or not isinstance(content.get("text"), str):
            return
        if content["text"] == self.text:
            self._update()
        else:
            self.text = content["text"]

    def _update(self) -> None:
        self.frame = {"revision": self.frame.get("revision", 0) + 1, "text": json.dumps(self.text)} | self.read()


def reason(error: Exception) -> str:
    """An error as it is shown in the part of a widget that it concerns."""
    return str(error) if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}"


def quoted(text: str, longest: int = 60) -> str:
    """The text as `summary` shows it, on one line and printable: its end, where it is long."""
    return repr(text if len(text) <= longest else "…" + text[-longest:])
