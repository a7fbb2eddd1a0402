"""The ladder: every model of the course on one scale, in bits per byte of the same validation text.

Reference rungs, measured when the course was made, are in `data/ladder.json` with how each was measured. The learner's own are
kept in the cache and stand beside them. `python -m helpers.ladder` prints the tables.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers import paths

REFERENCE = paths.DATA / "ladder.json"


@dataclass(frozen=True)
class Rung:
    """One model's place. bits_per_byte: on the corpus' validation text; notebook: where it is built, "01" to "09"."""

    name: str
    corpus: str
    bits_per_byte: float
    notebook: str
    how: str
    yours: bool = False


def reference(corpus: str | None = None) -> list[Rung]:
    """The rungs that ship with the course, best last; of all corpora where none is named."""
    return _sorted([Rung(**rung) for rung in json.loads(REFERENCE.read_text(encoding="utf-8"))], corpus)


def yours(corpus: str | None = None) -> list[Rung]:
    """The rungs measured on this machine, best last. A file that cannot be read counts as empty and is left as it is."""
    try:
        rungs = [Rung(**rung) for rung in json.loads(_own_file().read_text(encoding="utf-8"))]
        return _sorted(rungs, corpus)
    except (OSError, ValueError, TypeError):
        return []


def add(name: str, corpus: str, bits_per_byte: float, notebook: str, how: str) -> Rung:
    """Put a measurement of yours on the ladder, in place of an earlier one of that name; it is kept for later notebooks.

    Raises ValueError for a figure that is not a positive number of bits. A folder that cannot be written to is no error: the
    rung is returned but not kept.
    """
    if not 0 < bits_per_byte < float("inf"):
        raise ValueError(
            f"bits_per_byte of {name!r} must be a positive number, got {bits_per_byte}; is it a mean over bytes, in bits?"
        )
    rung = Rung(name, corpus, float(bits_per_byte), notebook, how, yours=True)
    kept = [other for other in yours() if (other.name, other.corpus) != (name, corpus)]
    with contextlib.suppress(OSError):
        paths.write_atomically(_own_file(), json.dumps([asdict(other) for other in [*kept, rung]], indent=1))
    return rung


def rungs(corpus: str, up_to: str = "09", mine: list[Rung] | None = None) -> list[Rung]:
    """Reference rungs of notebooks up to this one, with yours beside them, best last; one of yours that agrees is not repeated.

    mine: instead of those kept in the cache. Two figures agree that differ by less than 0.002 bits per byte.
    """
    own = yours(corpus) if mine is None else mine
    known = {rung.name: rung.bits_per_byte for rung in reference(corpus)}
    new = [rung for rung in own if abs(known.get(rung.name, float("inf")) - rung.bits_per_byte) >= 0.002]
    return _sorted([rung for rung in [*reference(corpus), *new] if rung.notebook <= up_to], corpus)


def table(rows: list[Rung]) -> str:
    """The rungs as a Markdown table."""
    head = "| model | bits per byte | notebook | how it was measured |\n|---|---:|---|---|"
    return "\n".join([head, *(f"| {_label(r)} | {r.bits_per_byte:.3f} | {r.notebook} | {r.how} |" for r in rows)])


def _label(rung: Rung) -> str:
    return f"**{rung.name}** (yours)" if rung.yours else rung.name


def _sorted(rows: list[Rung], corpus: str | None) -> list[Rung]:
    return sorted((r for r in rows if corpus in (None, r.corpus)), key=lambda r: (-r.bits_per_byte, r.name, r.yours))


def _own_file() -> Path:
    return paths.cache() / "ladder.json"


def main() -> None:
    """Print one table a corpus."""
    for corpus in sorted({rung.corpus for rung in [*reference(), *yours()]}):
        print(f"\n{corpus}, validation text\n\n{table(rungs(corpus))}")


if __name__ == "__main__":
    main()
