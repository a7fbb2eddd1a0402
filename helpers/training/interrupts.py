"""Interrupts (■ in JupyterLab, Ctrl-C) of a run: noted, so that the step that is being made is finished first."""

import contextlib
import signal
import threading
from collections.abc import Iterator


class Interrupts:
    """`noted` says whether one has come while they were held."""

    def __init__(self) -> None:
        self.noted = False
        self._through = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """In here the first interrupt is noted only, and a second one is raised; in other threads than the first none comes."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)

    @contextlib.contextmanager
    def let_through(self) -> Iterator[None]:
        """In here, where nothing can be left half done, an interrupt ends the block at once, and is noted."""
        self._through = True
        try:
            yield
        except KeyboardInterrupt:
            self.noted = True
        finally:
            self._through = False

    def _note(self, *_: object) -> None:
        if self.noted or self._through:
            raise KeyboardInterrupt
        self.noted = True
