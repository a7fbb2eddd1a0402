"""One public file, from its address to bytes that are known to be right.

A file is named with its SHA-256, so it does not matter where a copy comes from: the cache, a mirror, any of its addresses.
Every copy is checked before it is used, and no copy gets its final name in the cache before it is whole and right.
pooch downloads, retries and checks; added here are what it lacks: caches that may be read-only, mirrors, a fast answer where
there is no network, and errors that say what came instead of the file.

    LM_COURSE_MIRROR   a folder or base address that files are taken from, instead of from their public addresses
    LM_COURSE_CACHE    the cache folder, instead of data/cache/
"""

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch
import requests
from tqdm import tqdm

from helpers import paths

PARTIAL = ".partial-"  # Folders of downloads under way; a killed process leaves one behind, never a file under its final name.
DAY = 86_400  # seconds


class CorpusError(RuntimeError):
    """A corpus cannot be had; the message says what was tried, why it failed, and what to do."""


class Unreachable(CorpusError):
    """No server answered: there is no network, or something stands in between."""


class _CutShort(ValueError):
    """The end of a file is missing: of our errors, the one kind that pooch shall retry (it retries on ValueError)."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that is public somewhere: its path in a mirror and in the cache, SHA-256, size in bytes, and addresses."""

    path: str
    sha256: str
    size: int
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """The right bytes of a file, where they came from, and where they lie now (None: no cache could be written)."""

    file: RemoteFile
    source: str
    place: Path | None
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Patience:
    """How long to wait (seconds), how often to try again, and the slowest transfer accepted (bytes a second)."""

    answer: float = 5.0
    read: float = 10.0
    retries: int = 2
    slowest: float = 10_000.0


def obtain(file: RemoteFile, patience: Patience | None = None, progress: bool = False) -> Copy:
    """Return the right bytes of `file`: from the cache, else from the mirror if one is set, else from a public address.

    Raises Unreachable when no server answered and CorpusError for every other reason.
    """
    copy = cached(file)
    if copy is not None:
        return copy
    patience, reasons, answered = patience or Patience(), [], False
    for address in _addresses(file):
        reason = _silence(address, patience.answer) if _is_web(address) else None
        if reason is None:
            answered = True
            try:
                return _download(file, address, patience, progress)
            except (CorpusError, ValueError, OSError) as error:  # requests' errors are OSErrors, and so is a full disk.
                reason = _reason(error)
        reasons.append(f"{address}: {reason}")
    raise (CorpusError if answered else Unreachable)(_explain(file, reasons))


def cached(file: RemoteFile) -> Copy | None:
    """Return the copy that a cache holds if it is right, else None; no network is used."""
    for folder in caches():
        with contextlib.suppress(OSError):
            data = (folder / file.path).read_bytes()
            if _is_right(data, file):
                return Copy(file, "cache", folder / file.path, data)
    return None


def at_hand(file: RemoteFile) -> bool:
    """True if the right bytes can be had without a network: from a cache, or from a mirror that is a folder."""
    if cached(file) is not None:
        return True
    for address in _addresses(file):
        with contextlib.suppress(OSError):
            if not _is_web(address) and _is_right(Path(address).read_bytes(), file):
                return True
    return False


def caches() -> tuple[Path, ...]:
    """The cache folders: the course's (or LM_COURSE_CACHE), then the user's own; both are read, the first writable written."""
    return (paths.cache(), Path(pooch.os_cache("language-models-course")))


def _is_right(data: bytes, file: RemoteFile) -> bool:
    return hashlib.sha256(data).hexdigest() == file.sha256


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _addresses(file: RemoteFile) -> tuple[str, ...]:
    mirror = os.environ.get("LM_COURSE_MIRROR", "").strip()
    if not mirror:
        return file.urls
    if _is_web(mirror):
        return (f"{mirror.rstrip('/')}/{file.path}",)
    if mirror.lower().startswith("file:"):
        mirror = url2pathname(urlsplit(mirror).path)
    return (str(Path(mirror).expanduser() / file.path),)


def _silence(address: str, seconds: float) -> str | None:
    """Return why no server answers at `address`, or None if one does, whatever it answers."""
    outcome: list[str | None] = [f"no answer within {seconds:g} seconds"]

    def ask() -> None:
        try:
            requests.head(address, timeout=seconds, allow_redirects=True).close()
            outcome[0] = None
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; a malformed address is a ValueError.
            outcome[0] = _reason(error)

    # In a thread, because no time-out of requests covers the name look-up or a host with many addresses that drop packets.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0]


def _download(file: RemoteFile, address: str, patience: Patience, progress: bool) -> Copy:
    pooch.get_logger().setLevel("WARNING")  # Else pooch announces each file on stderr, in the middle of a notebook.
    retries = patience.retries if _is_web(address) else 0
    with _workspace() as (work, cache):
        pup = pooch.create(work, "", registry={file.path: file.sha256}, urls={file.path: address}, retry_if_failed=retries)
        part = Path(pup.fetch(file.path, downloader=_downloader(file, patience, progress)))
        data = part.read_bytes()
        return Copy(file, address, _store(part, cache / file.path, file) if cache else None, data)


@contextlib.contextmanager
def _workspace() -> Iterator[tuple[Path, Path | None]]:
    """Yield a temporary folder, and the cache it lies in: the first that can be written, or None."""
    folder, cache = None, None
    for cache in caches():
        with contextlib.suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(prefix=PARTIAL, dir=cache, ignore_cleanup_errors=True)
            _sweep(cache)
            break
    else:
        folder, cache = tempfile.TemporaryDirectory(ignore_cleanup_errors=True), None
    with folder as name:
        yield Path(name), cache


def _sweep(cache: Path) -> None:
    """Remove what killed downloads left behind; a day is longer than any download under way takes."""
    for folder in cache.glob(f"{PARTIAL}*"):
        with contextlib.suppress(OSError):  # Another process may sweep at the same time.
            if time.time() - folder.stat().st_mtime > DAY:
                shutil.rmtree(folder, ignore_errors=True)


def _store(part: Path, place: Path, file: RemoteFile) -> Path | None:
    """Move `part` to its place in one step; return None where that could not be written."""
    try:
        part.chmod(0o644)  # pooch's temporary files are for their owner only; a class shares its cache.
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, place)
    except OSError:  # A subfolder of someone else; or, on Windows, another process is reading the same file just now.
        copy = cached(file)
        return copy.place if copy else None
    return place


def _downloader(file: RemoteFile, patience: Patience, progress: bool) -> Callable[[str, str, pooch.Pooch], None]:
    """Return the downloader that pooch calls with an address and the temporary file to write."""

    def download(address: str, output: str, pup: pooch.Pooch) -> None:
        if _is_web(address):
            # identity: a server that declares .gz files as an encoding would have them unpacked on the way.
            get = pooch.HTTPDownloader(timeout=(patience.answer, patience.read), headers={"Accept-Encoding": "identity"})
            with _Sink(output, file, patience, progress) as sink, contextlib.suppress(_TooLong):
                get(address, sink, pup)
        else:
            shutil.copyfile(address, output)
        _check(Path(output).read_bytes(), file)

    return download


class _TooLong(Exception):
    """More came than the file has; `_check` says what it looks like."""


class _Sink(io.FileIO):
    """An output file for pooch that shows progress, and ends a body that is too long or too slow to ever end."""

    def __init__(self, path: str, file: RemoteFile, patience: Patience, progress: bool):
        super().__init__(path, "wb")
        self._left, self._slowest = file.size, patience.slowest
        self._deadline = time.monotonic() + patience.read + file.size / patience.slowest
        self._bar = tqdm(total=file.size, desc=file.path, unit="B", unit_scale=True, disable=not progress)

    def write(self, data: bytes) -> int:
        self._bar.update(len(data))
        self._left -= len(data)
        if time.monotonic() > self._deadline:
            raise CorpusError(f"given up: it sends less than {self._slowest:,.0f} bytes a second")
        written = super().write(data)
        if self._left < 0:
            raise _TooLong
        return written

    def close(self) -> None:
        self._bar.close()
        super().close()


def _check(data: bytes, file: RemoteFile) -> None:
    """Raise what describes best what came instead of the file; only what is too short is worth another try."""
    if _is_right(data, file):
        return
    if data[:1000].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        raise CorpusError("what came looks like an HTML page; a log-in or proxy page?")
    if len(data) < file.size:
        raise _CutShort(f"only {len(data):,} of {file.size:,} bytes came; the transfer was cut short, or it is another file")
    if len(data) > file.size:
        raise CorpusError(f"more than the expected {file.size:,} bytes came; it is another file")
    got = hashlib.sha256(data).hexdigest()
    raise CorpusError(f"the right number of bytes came, but damaged or of another version (SHA-256 {got})")


def _reason(error: Exception) -> str:
    """Say in one line what went wrong; requests' own messages name its classes and pools."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"no secure connection; a proxy or firewall in between, or a wrong clock? ({error})"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error):
        return "the server stopped answering"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer was cut short"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection; no network, or a proxy or firewall in between?"
    return "there is no such file" if isinstance(error, FileNotFoundError) else str(error)


def _explain(file: RemoteFile, reasons: list[str]) -> str:
    damaged = [str(folder / file.path) for folder in caches() if (folder / file.path).is_file()]
    lines = [f"{file.path} could not be fetched, and no right copy of it is in the cache.", *(f"  {line}" for line in reasons)]
    lines += [f"  {path}: damaged, so not used" for path in damaged]
    mirror = os.environ.get("LM_COURSE_MIRROR", "").strip()
    lines += [
        f"Expected: {file.size:,} bytes, SHA-256 {file.sha256}.",
        "What to do: connect to the internet and run `python -m helpers.corpora`. Or get the file by other means and put it at",
        f"{caches()[0] / file.path}. Or set LM_COURSE_MIRROR to a folder or base address that holds {file.path}"
        + (f" (now it is {mirror}; unset it for the public addresses)." if mirror else "."),
    ]
    return "\n".join(lines)
