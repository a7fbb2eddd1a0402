"""Where the course keeps its data, its cache and its checkpoints.

Everything that the course writes goes below `CACHE`; everything else here is read only.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
CACHE = DATA / "cache"
WORLD = DATA / "world"
CHECKPOINTS = DATA / "checkpoints"
