"""The attention explorer as one HTML file: the same script on a model that can only be read, without network or Python."""

import base64
import gzip
import json
import zlib
from typing import Any

from helpers.widgets._base import STATIC
from helpers.widgets._explorer_frame import head_frame, kind_frame, pack, ranked
from helpers.widgets._explorer_reading import Reading
from helpers.widgets._explorer_tokens import TokenReader

PICTURES = (None, 48, 24, 12)  # cells each way of all heads' weights; None: as they are


def snapshot(
    reading: Reading, tokens: TokenReader, values: dict, chosen: tuple[int, int, int], query: int, script: str, most_bytes: int
) -> str:
    """The page. values: what the script asks its model for, the frame among it.

    What has room in most_bytes goes in, in this order: the chosen head with its arithmetic, the scores at the query, all
    heads' weights (else small pictures), the scores everywhere, the other heads with their arithmetic, its layer's first.
    """
    revision, logits = values["frame"]["revision"], reading.kinds[0].logits
    kept: dict = {"heads": [], "positions": []}
    frame = values["frame"] | {"logits": b"", "kinds": []}
    values = values | {"frame": frame, "head": {"revision": revision} | head_frame(reading, *chosen), "snapshot": kept}
    frame["head"] = values["head"]
    room = (most_bytes - len(_page(script, packed(values)).encode())) * 3 // 4  # base64 writes four letters for three bytes

    def fits(part: Any, share: float = 1.0) -> bool:
        nonlocal room
        size = _size(part)
        if size > share * room:
            return False
        room -= size
        return True

    if logits is not None:
        here = {"revision": revision, "position": query, "logits": pack(ranked(logits[query]), "<f4")}
        kept["positions"] += [here] * fits(here, 0.5)
    for longest in PICTURES:
        frame["kinds"] = [kind_frame(kind, tokens, longest) for kind in reading.kinds]
        if fits(frame["kinds"], 1.0 if longest is None else 0.5):
            break
    if logits is not None and logits.nbytes <= 8 * room and fits(everywhere := pack(ranked(logits), "<f4")):
        frame["logits"] = everywhere
    for place in sorted(_places(reading), key=lambda place: (place[:2] != chosen[:2], place)):
        other = {"revision": revision} | head_frame(reading, *place)
        kept["heads"] += [other] * (place != chosen and fits(other))
    page = _page(script, packed(values))
    while kept["heads"] and len(page.encode()) > most_bytes:  # parts together are not quite the sum of their sizes
        kept["heads"].pop()
        page = _page(script, packed(values))
    return page


def packed(values: Any) -> str:
    """Base64 of gzip of: the length of the JSON (uint32, little-endian), the JSON, and the bytes, to which it points."""
    return base64.b64encode(gzip.compress(_joined(values), mtime=0)).decode("ascii")


def _joined(values: Any) -> bytes:
    found: list[bytes] = []

    def point(value: Any) -> Any:
        if isinstance(value, bytes):
            found.append(value)
            return {"$bytes": [sum(map(len, found[:-1])), len(value)]}
        if isinstance(value, dict):
            return {name: point(each) for name, each in value.items()}
        return [point(each) for each in value] if isinstance(value, (list, tuple)) else value

    text = json.dumps(point(values)).encode("ascii")
    return len(text).to_bytes(4, "little") + text + b"".join(found)


def _size(part: Any) -> int:
    return len(zlib.compress(_joined(part)))


def _page(script: str, data: str) -> str:
    page = (STATIC / "snapshot.html").read_text(encoding="utf-8")
    css = (STATIC / "widgets.css").read_text(encoding="utf-8")
    for name, part in {"CSS": css, "DATA": data, "ESM": script.replace("export default", "const widget =")}.items():
        page = page.replace(f"/*{name}*/", part, 1)
    return page


def _places(reading: Reading) -> list[tuple[int, int, int]]:
    """Every head: attention, layer, head."""
    return [(n, i, j) for n, kind in enumerate(reading.kinds) for i in range(kind.n_layer) for j in range(kind.n_head)]
