"""The texts of the course, by name: the generated world, the interpreter's documentation, Shakespeare, SST-2, Multi30k.

    load("shakespeare", "train")    a text; fetched and checked on first use (see `helpers.fetching`)
    real_text()                     Shakespeare, or what the course uses in its place, with a notice to print
    python -m helpers.corpora       fetch all real corpora now

data/README.md says where each text comes from, under which licence, and how the cache works.
"""

import gzip
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from helpers.fetching import Copy, CorpusError, Patience, RemoteFile, Unreachable, at_hand, obtain
from helpers.paths import WORLD

TRAIN_SHARE = 0.9  # Of the characters, where a text comes in one piece; nanoGPT's rule, int(0.9 * len(text)).


@dataclass(frozen=True)
class Real:
    """A corpus that is fetched: its title, the files of each split, and what happens without it.

    Splits that share one file are cut from it; a split of two files is a list of pairs, a line each.
    """

    title: str
    splits: dict[str, tuple[RemoteFile, ...]]
    without: str

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Every file once, in the order of the splits."""
        return tuple(dict.fromkeys(file for files in self.splits.values() for file in files))


def _file(path: str, repository: str, inside: str, size: int, sha256: str) -> RemoteFile:
    """Return a registry entry; `repository` is owner/name@commit."""
    raw = f"https://raw.githubusercontent.com/{repository.replace('@', '/')}/{inside}"
    # The second address: jsDelivr often serves where GitHub's raw files are blocked.
    return RemoteFile(path, sha256, size, (raw, f"https://cdn.jsdelivr.net/gh/{repository}/{inside}"))


def _glue(name: str, size: int, sha256: str) -> tuple[RemoteFile, ...]:
    repository = "nlpaueb/nlp-optimizers@9f573468d63730ec394391837dc02d94583eec8b"
    return (_file(f"sst2/{name}", repository, f"data/SST2/{name}", size, sha256),)


def _captions(name: str, size: int, sha256: str) -> RemoteFile:
    repository = "multi30k/dataset@a3d2e0d26b56f3846f66a952536ffed4e401d05a"
    return _file(f"multi30k/{name}", repository, f"data/task1/raw/{name}", size, sha256)


_SHAKESPEARE = _file(
    "tinyshakespeare.txt",
    "karpathy/char-rnn@6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e",
    "data/tinyshakespeare/input.txt",
    1_115_394,
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)
_SST2 = {
    "train": _glue("train.tsv", 3_738_731, "dc4a10637729af71aeb11f573482b10031ba7ffe53159403599d06759e484e30"),
    "val": _glue("dev.tsv", 94_414, "84207e6be5873fb18db798cc6faec86871f5a426554650ff64a1c34e87665f6f"),
}
_MULTI30K = {
    "train": (
        _captions("train.en.gz", 568_929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
        _captions("train.de.gz", 637_044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    ),
    "val": (
        _captions("val.en.gz", 21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
        _captions("val.de.gz", 24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    ),
    "test": (
        _captions("test_2016_flickr.en.gz", 21_077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
        _captions("test_2016_flickr.de.gz", 22_890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
    ),
}
REAL = {
    "shakespeare": Real(
        "Shakespeare",
        {"train": (_SHAKESPEARE,), "val": (_SHAKESPEARE,)},
        "the notebooks use Python's own documentation (python-docs) in its place, and say so",
    ),
    "sst2": Real("SST-2", _SST2, "only what notebook 08 does with real film reviews needs it"),
    "multi30k": Real("Multi30k", _MULTI30K, "only what notebook 08 does with real translations needs it"),
}
SPLITS = {
    "world": ("train", "val", "heldout"),
    "python-docs": ("train", "val"),
    **{name: tuple(real.splits) for name, real in REAL.items()},
}


@dataclass(frozen=True)
class Corpus:
    """A text with its two splits; `notice` says which text it is and, if it stands in for another, why. Print it."""

    name: str
    title: str
    train: str
    val: str
    notice: str

    def quoted(self, value: float, stated: float, digits: int = 0) -> None:
        """Assert that a value rounds to the number that a notebook's prose states; the prose speaks of Shakespeare only."""
        if self.name == "shakespeare" and round(float(value), digits) != stated:
            raise AssertionError(f"the text says {stated}, but {value} was measured; has the cell above been changed?")


def load(name: str, split: str | None = None) -> str:
    """Return a split of a corpus, or for None train and val joined; newlines are those of the file.

    Held-out splits (world's heldout, multi30k's test) must be named. SST-2 is a line "label<tab>text" for each phrase, below a
    header line in each split; Multi30k is a line "english<tab>german" for each pair. Raises ValueError for an unknown name or
    split, and CorpusError if the text cannot be had.

    >>> len(load("shakespeare", "train"))
    1003854
    """
    _check_names(name, split)
    if split is None:
        return load(name, "train") + load(name, "val")
    if name == "world":
        return _world(split)
    if name == "python-docs":
        return _cut(_python_docs(), split)
    real = REAL[name]
    texts = [_decoded(obtain(file)) for file in real.splits[split]]
    if len(texts) == 2:
        return _pairs(*texts)
    return _cut(texts[0], split) if len(real.files) == 1 else texts[0]


def available(name: str) -> bool:
    """True if `load(name)` works without a network: bundled, the interpreter's, cached, or in a mirror that is a folder."""
    _check_names(name)
    if name == "world":
        return all((WORLD / f"{split}.txt").is_file() for split in SPLITS["world"])
    if name == "python-docs":
        return find_spec("pydoc_data") is not None
    return all(at_hand(file) for file in REAL[name].files)


def fetch(name: str, progress: bool = False, patience: Patience | None = None) -> tuple[Copy, ...]:
    """Bring a corpus' files into the cache, with a bar on stderr if `progress`; return where each came from and lies.

    Nothing is to be fetched for world and python-docs: an empty tuple. Raises CorpusError if a file cannot be had.
    """
    _check_names(name)
    return tuple(obtain(file, patience, progress) for file in REAL[name].files) if name in REAL else ()


def real_text() -> Corpus:
    """Return Shakespeare if it can be had, else python-docs; print the `notice`, which says which and why.

    So that a notebook runs to its end with no network and nothing fetched, and never passes one text off as the other.
    """
    try:
        train, val = load("shakespeare", "train"), load("shakespeare", "val")
    except CorpusError as error:
        train, val = load("python-docs", "train"), load("python-docs", "val")
        return Corpus("python-docs", "Python's documentation", train, val, _fallback_notice(train + val, error))
    notice = f"Real text: Shakespeare, {len(train + val):,} characters: {len(train):,} to train on, {len(val):,} to validate."
    return Corpus("shakespeare", "Shakespeare", train, val, notice)


def _fallback_notice(text: str, error: CorpusError) -> str:
    return (
        "NOTICE: THIS IS NOT SHAKESPEARE.\n"
        "Wanted: tiny Shakespeare, the real text of this course.\n"
        f"Why it is not here: {error}\n"
        f"Used instead: python-docs, the documentation inside Python {sys.version.split()[0]}, {len(text):,} characters.\n"
        "Everything runs to the end, but the numbers that the text quotes for Shakespeare do not apply, here or on the ladder."
    )


def _check_names(name: str, split: str | None = None) -> None:
    if name not in SPLITS:
        raise ValueError(f"there is no corpus {name!r}; choose one of {', '.join(SPLITS)}")
    if split is not None and split not in SPLITS[name]:
        raise ValueError(f"{name} has no split {split!r}; choose one of {', '.join(SPLITS[name])}, or None for train and val")


def _cut(text: str, split: str) -> str:
    end_of_train = int(TRAIN_SHARE * len(text))
    return text[:end_of_train] if split == "train" else text[end_of_train:]


def _world(split: str) -> str:
    path = WORLD / f"{split}.txt"
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise CorpusError(f"{path} is missing; it belongs to the course, so restore it: git checkout -- data/world") from error


def _python_docs() -> str:
    """Return the texts that Python's `help` shows on keywords and topics, in the order of their names."""
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise CorpusError(
            "this Python comes without pydoc_data, its own documentation; use one from python.org or conda"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics))


def _decoded(copy: Copy) -> str:
    data = gzip.decompress(copy.data) if copy.file.path.endswith(".gz") else copy.data
    return data.decode("utf-8")


def _pairs(english: str, german: str) -> str:
    """Join line by line with a tab; a tab inside a sentence (one caption has one) becomes a space."""
    sides = [text.replace("\t", " ").removesuffix("\n").split("\n") for text in (english, german)]
    return "".join(f"{source}\t{target}\n" for source, target in zip(*sides, strict=True))


def main() -> int:
    """Fetch every real corpus, print a line for each, and return 0 if all are there, else 1."""
    offline, missing = False, 0
    for name, real in REAL.items():
        if offline and not available(name):
            missing += 1
            print(f"{name}: not tried, since no server answered; {real.without}.")
            continue
        try:
            copies = fetch(name, progress=sys.stderr.isatty())
        except CorpusError as error:
            missing, offline = missing + 1, isinstance(error, Unreachable)
            print(f"{name}: not there; {real.without}.\n{error}")
        else:
            print(f"{name}: {real.title}, {sum(copy.file.size for copy in copies):,} bytes, {_whereabouts(copies)}.")
    return 1 if missing else 0


def _whereabouts(copies: tuple[Copy, ...]) -> str:
    sources = {copy.source.removesuffix(copy.file.path) for copy in copies}
    places = {str(copy.place.parent) if copy.place else "" for copy in copies}
    kept = f"in {', '.join(sorted(places))}" if "" not in places else "but no cache folder can be written, so not kept"
    return f"{'already ' if sources == {'cache'} else 'from ' + ', '.join(sorted(sources)) + ', '}{kept}"


if __name__ == "__main__":
    raise SystemExit(main())
