"""What a learner has solved, kept in a file of the cache so that it survives a restart of the kernel.

Nothing here may stand in a learner's way: a file that cannot be read is set aside, never overwritten; one that cannot be
written costs a warning, and the progress lives on in memory.
"""

import contextlib
import json
import warnings
from pathlib import Path

from helpers import paths

VERSION = 1
Entries = dict[str, dict]


def default_path() -> Path:
    """progress.json in the cache folder: LM_COURSE_CACHE where that is set, else the course's own."""
    return paths.cache() / "progress.json"


class Record:
    """Tries and successes by id: {"1.3": {"tries": 2, "solved": true}}."""

    def __init__(self, path: Path | None = None):
        self._path = path
        self._here: Entries = {}  # what this kernel has seen, so that nothing is lost where the file cannot be written

    @property
    def path(self) -> Path:
        """Where the file is; looked up at each use, so that a changed LM_COURSE_CACHE counts."""
        return self._path or default_path()

    def add(self, id: str, solved: bool) -> None:
        """Count one try; what was solved once stays solved."""
        entry = self._here.setdefault(id, {"tries": 0, "solved": False})
        self._here[id] = {"tries": entry["tries"] + 1, "solved": entry["solved"] or solved}
        self._save()

    def entries(self) -> Entries:
        """Everything known: the file's entries with this kernel's unsaved ones added."""
        return _merge(self._read(), self._here)

    def _save(self) -> None:
        entries = self.entries()
        try:
            paths.write_atomically(self.path, json.dumps({"version": VERSION, "entries": entries}, indent=1, sort_keys=True))
        except OSError as error:
            _warn(
                f"your progress could not be saved ({error.strerror or error}); it is kept until the kernel stops. "
                "Make the cache folder writable, or set LM_COURSE_CACHE to a folder that is."
            )
        else:
            self._here = {}

    def _read(self) -> Entries:
        try:
            return _entries(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except OSError as error:
            _warn(f"your earlier progress could not be read ({error.strerror or error}); check who may read the cache folder.")
            return {}
        except ValueError:  # not JSON, not UTF-8, or JSON of another shape
            self._set_aside()
            return {}

    def _set_aside(self) -> None:
        """Rename a damaged file, so that it can be mended by hand and a new one begun."""
        number = 1
        while (aside := self.path.with_name(f"progress.damaged-{number}.json")).exists():
            number += 1
        with contextlib.suppress(OSError):  # in a read-only folder it stays where it is, and is not overwritten either
            self.path.rename(aside)
        _warn(f"progress.json could not be understood; it is kept as {aside.name} beside it, and a new one is begun.")


def _entries(document: object) -> Entries:
    """The entries of a file of this version; raises ValueError for anything else."""
    if not isinstance(document, dict) or document.get("version") != VERSION or not isinstance(document.get("entries"), dict):
        raise ValueError("not a progress file of this version")
    for entry in document["entries"].values():
        if not isinstance(entry, dict) or not isinstance(entry.get("tries"), int) or not isinstance(entry.get("solved"), bool):
            raise ValueError("an entry has another shape")
    return document["entries"]


def _merge(a: Entries, b: Entries) -> Entries:
    none = {"tries": 0, "solved": False}
    pairs = {id: (a.get(id, none), b.get(id, none)) for id in a | b}
    return {id: {"tries": x["tries"] + y["tries"], "solved": x["solved"] or y["solved"]} for id, (x, y) in pairs.items()}


def _warn(text: str) -> None:
    warnings.warn(text[0].upper() + text[1:], stacklevel=2)
