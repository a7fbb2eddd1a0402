"""Write the corpus files: `python -m helpers.world` → data/world/train.txt, val.txt, heldout.txt."""

from helpers import world
from helpers.paths import WORLD


def main() -> None:
    """Write each file and say its size and its floor."""
    WORLD.mkdir(parents=True, exist_ok=True)
    for split in world.SEEDS:
        text = world.corpus(split)
        (WORLD / f"{split}.txt").write_text(text, encoding="utf-8", newline="\n")
        lines = text.count("\n")
        print(f"{split}.txt: {lines} stories, {len(text.encode()):,} bytes, floor {world.floor(split):.4f} bits per byte")


if __name__ == "__main__":
    main()
