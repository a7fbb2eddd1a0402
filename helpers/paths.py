"""Where the course keeps its data, its cache and its checkpoints.

Everything that the course writes goes below `cache()`; everything else here is read only.
"""

import contextlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
CACHE = DATA / "cache"
WORLD = DATA / "world"
CHECKPOINTS = DATA / "checkpoints"


def cache() -> Path:
    """The cache folder: LM_COURSE_CACHE where that is set, else the course's own. Looked up at each call."""
    chosen = os.environ.get("LM_COURSE_CACHE", "").strip()
    return Path(chosen).expanduser() if chosen else CACHE


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside the file and rename over it: a reader sees the old text or the new, never half of one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
