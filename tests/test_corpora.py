"""Corpora and the fetching of their files, with nothing but this machine: folders, and a server on 127.0.0.1."""

import gzip
import hashlib
import itertools
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import corpora, fetching
from helpers.fetching import CorpusError, Patience, RemoteFile, Unreachable

ROOT = Path(__file__).resolve().parent.parent
REAL_CACHES = fetching.caches()  # Before the tests point elsewhere.
REAL_MIRROR = os.environ.get("LM_COURSE_MIRROR", "")
BODY = b"".join(b"line %d of a text that is right\n" % i for i in range(1000))
PAGE = b"\n <!DOCTYPE html><html><body>Please log in</body></html>"
QUICK = Patience(answer=5.0, read=5.0)  # Long enough for a busy machine: only the tests of time-outs wait for one.
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Answers the n-th GET with `answers[n]`, and every later one with the last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [answer(BODY)]
        self.paths: list[str] = []
        self.half_sent, self.released, self.lock = threading.Event(), threading.Event(), threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.paths.append(self.path)
            reply = self.server.answers[min(len(self.server.paths), len(self.server.answers)) - 1]
        reply(self)

    def log_message(self, *_: object) -> None:
        pass


def answer(body: bytes, status: int = 200, length: int | None = None) -> Answer:
    """Return an answer; `length` is a Content-Length that may be false, -1 leaves it out."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if length != -1:
            handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def stall(handler: Handler) -> None:
    """Send half of the body, then nothing until the test is over."""
    answer(BODY[: len(BODY) // 2], length=len(BODY))(handler)
    handler.wfile.flush()
    handler.server.half_sent.set()
    handler.server.released.wait(60)


def endless(handler: Handler) -> None:
    answer(b"", length=-1)(handler)
    while True:  # Until the client hangs up.
        handler.wfile.write(BODY)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address that refuses connections: the port is bound, but nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}/text.txt"


@pytest.fixture
def silent_port() -> Iterator[str]:
    """An address that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/text.txt"


@pytest.fixture(autouse=True)
def naps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep each test off the internet and in its own folders; return the seconds to sleep between tries, which nobody does."""
    monkeypatch.delenv("LM_COURSE_MIRROR", raising=False)
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetching.pooch, "os_cache", lambda name: tmp_path / "user" / name)
    look_up = socket.getaddrinfo

    def only_here(host: str, *rest: object, **named: object) -> object:
        if host != "127.0.0.1":
            raise socket.gaierror(f"the tests may not look up {host}")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    slept: list[float] = []
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=slept.append))
    return slept


def entry(*urls: str, body: bytes = BODY, path: str = "sub/text.txt") -> RemoteFile:
    return RemoteFile(path, hashlib.sha256(body).hexdigest(), len(body), urls)


def files_below(folder: Path) -> list[str]:
    """Every file and folder below: what a failed download must not leave."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refuse_folder(monkeypatch: pytest.MonkeyPatch, refused: Path) -> None:
    """Make a folder read-only even for root, whom permissions don't hold."""
    make = fetching.tempfile.TemporaryDirectory

    def checked(*args: object, **named: object) -> object:
        if named.get("dir") == refused:
            raise PermissionError(13, "Permission denied", str(refused))
        return make(*args, **named)

    monkeypatch.setattr(fetching.tempfile, "TemporaryDirectory", checked)


# Downloads that work ------------------------------------------------------------------------------------------------------


def test_a_file_is_downloaded_once_and_then_read_from_the_cache(server: Server, tmp_path: Path, capfd, naps) -> None:
    file = entry(f"{server.url}/text.txt")
    first, second = fetching.obtain(file, QUICK), fetching.obtain(file, QUICK)
    assert first.data == second.data == BODY
    assert (first.source, second.source) == (file.urls[0], "cache")
    assert first.place == second.place == tmp_path / "cache" / "sub" / "text.txt"
    assert server.paths == ["/text.txt"] and naps == []
    assert files_below(tmp_path / "cache") == ["sub", os.path.join("sub", "text.txt")]
    assert first.place.stat().st_mode & 0o044 == 0o044, "a class shares the cache"
    assert capfd.readouterr() == ("", ""), "what a notebook would show"
    assert "line 1 of" not in repr(first)


def test_a_progress_bar_is_shown_when_asked_for(server: Server, capfd) -> None:
    fetching.obtain(entry(server.url), QUICK, progress=True)
    assert "100%" in capfd.readouterr().err


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(answer(BODY[:500], length=len(BODY)), id="cut short, true length"),
        pytest.param(answer(BODY[:500]), id="cut short, false length"),
        pytest.param(answer(BODY[:500], length=-1), id="cut short, no length"),
        pytest.param(answer(b""), id="empty"),
        pytest.param(answer(b"gone", 404), id="404"),
        pytest.param(answer(PAGE, 500), id="500"),
        pytest.param(answer(b"busy", 503), id="503"),
    ],
)
def test_a_passing_failure_is_tried_again(server: Server, bad: Answer, naps: list[float]) -> None:
    server.answers = [bad, answer(BODY)]
    copy = fetching.obtain(entry(server.url), QUICK)
    assert copy.data == copy.place.read_bytes() == BODY
    assert len(server.paths) == 2 and len(naps) == 1


# Downloads that fail: a clear error, and nothing in the cache --------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "tries", "message"),
    [
        pytest.param(answer(BODY[:500], length=len(BODY)), 3, "the transfer was cut short", id="cut short, true length"),
        pytest.param(answer(BODY[:500]), 3, "only 500 of 32,890 bytes came", id="cut short, false length"),
        pytest.param(answer(BODY.replace(b"right", b"wrong")), 1, "damaged or of another version", id="other content"),
        pytest.param(answer(BODY + b"!"), 1, "more than the expected 32,890 bytes", id="too long"),
        pytest.param(answer(PAGE), 1, "looks like an HTML page; a log-in or proxy page?", id="page"),
        pytest.param(answer(PAGE + b" " * 50_000), 1, "looks like an HTML page", id="long page"),
        pytest.param(endless, 1, "more than the expected 32,890 bytes", id="endless"),
        pytest.param(answer(b"gone", 404), 3, "the server answered 404 Not Found", id="404"),
        pytest.param(answer(PAGE, 500), 3, "the server answered 500", id="500"),
    ],
)
def test_a_lasting_failure_says_what_came(server: Server, tmp_path: Path, bad: Answer, tries: int, message: str) -> None:
    server.answers = [bad]
    file = entry(server.url)
    with pytest.raises(CorpusError) as failure:
        fetching.obtain(file, QUICK)
    said = str(failure.value)
    assert message in said and not isinstance(failure.value, Unreachable)
    for part in (file.path, server.url, file.sha256, "32,890", "What to do", str(tmp_path / "cache"), "LM_COURSE_MIRROR"):
        assert part in said
    assert len(server.paths) == tries
    assert files_below(tmp_path / "cache") == []


def test_no_network_is_said_at_once(closed_port: str, tmp_path: Path, naps: list[float]) -> None:
    with pytest.raises(Unreachable, match="no connection; no network"):
        fetching.obtain(entry(closed_port, closed_port), QUICK)
    assert naps == [] and files_below(tmp_path) == []


def test_a_name_that_cannot_be_looked_up_is_no_network() -> None:
    with pytest.raises(Unreachable, match="no connection; no network"):
        fetching.obtain(entry("https://course.invalid/text.txt"), QUICK)


def test_a_silent_server_is_given_up(silent_port: str, naps: list[float]) -> None:
    with pytest.raises(Unreachable, match=r"no answer within 0\.2 seconds|stopped answering"):
        fetching.obtain(entry(silent_port), Patience(answer=0.2))
    assert naps == []


def test_a_slow_name_look_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(*_args: object, **_named: object) -> list:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with pytest.raises(Unreachable, match=r"no answer within 0\.2 seconds"):
            fetching.obtain(entry("http://course.invalid/text.txt"), Patience(answer=0.2))
    finally:
        over.set()


def test_a_body_that_stalls_is_tried_again_and_then_given_up(server: Server, tmp_path: Path) -> None:
    server.answers = [stall]
    with pytest.raises(CorpusError, match="the server stopped answering"):
        fetching.obtain(entry(server.url), Patience(read=0.1, retries=1))
    assert len(server.paths) == 2 and files_below(tmp_path / "cache") == []


def test_a_body_that_trickles_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=3600)  # An hour passes between two looks at the clock.
    monkeypatch.setattr(fetching, "time", SimpleNamespace(monotonic=lambda: next(clock), time=time.time))
    with pytest.raises(CorpusError, match="less than 10,000 bytes a second"):
        fetching.obtain(entry(server.url), QUICK)
    assert files_below(tmp_path / "cache") == []


def test_a_full_disk_is_a_clear_error(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching._Sink, "write", full)
    with pytest.raises(CorpusError, match="No space left on device"):
        fetching.obtain(entry(server.url), QUICK)
    assert files_below(tmp_path / "cache") == []


def test_the_second_address_serves_where_the_first_does_not(server: Server, closed_port: str) -> None:
    server.answers = [answer(PAGE), answer(BODY)]
    copy = fetching.obtain(entry(closed_port, f"{server.url}/1", f"{server.url}/2"), QUICK)
    assert copy.data == BODY and copy.source == f"{server.url}/2"
    assert server.paths == ["/1", "/2"]


# The cache ----------------------------------------------------------------------------------------------------------------


def test_a_damaged_copy_is_replaced(server: Server, tmp_path: Path) -> None:
    file, place = entry(server.url), tmp_path / "cache" / "sub" / "text.txt"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY[:-1])
    assert fetching.cached(file) is None
    assert fetching.obtain(file, QUICK).data == BODY == place.read_bytes()


def test_a_damaged_copy_is_never_used(closed_port: str, tmp_path: Path) -> None:
    place = tmp_path / "cache" / "sub" / "text.txt"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY.replace(b"right", b"wrong"))
    with pytest.raises(Unreachable, match=re.escape(f"{place}: damaged, so not used")):
        fetching.obtain(entry(closed_port), QUICK)


def test_a_cache_that_cannot_be_made_gives_way_to_the_users_own(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    copy = fetching.obtain(entry(server.url), QUICK)
    assert copy.place.is_relative_to(tmp_path / "user") and copy.place.read_bytes() == BODY
    assert fetching.obtain(entry(server.url), QUICK).source == "cache"
    assert len(server.paths) == 1


def test_a_read_only_cache_is_read_and_the_users_own_written(server: Server, tmp_path: Path, monkeypatch) -> None:
    shared = tmp_path / "cache"
    fetching.obtain(entry(server.url, path="by-the-teacher.txt"), QUICK)
    refuse_folder(monkeypatch, shared)
    assert fetching.obtain(entry(server.url, path="by-the-teacher.txt"), QUICK).place == shared / "by-the-teacher.txt"
    assert fetching.obtain(entry(server.url, path="other.txt"), QUICK).place.is_relative_to(tmp_path / "user")
    assert files_below(shared) == ["by-the-teacher.txt"]


def test_without_any_cache_the_text_is_there_all_the_same(server: Server, tmp_path: Path) -> None:
    for name in ("cache", "user"):
        (tmp_path / name).write_text("a file where a folder should be")
    copy = fetching.obtain(entry(server.url), QUICK)
    assert copy.data == BODY and copy.place is None


def test_a_subfolder_that_cannot_be_written_loses_nothing(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "sub").write_text("a file where a folder should be")
    copy = fetching.obtain(entry(server.url), QUICK)
    assert copy.data == BODY and copy.place is None
    assert files_below(tmp_path / "cache") == ["sub"]


FETCH = """
import sys
from pathlib import Path
from helpers import fetching
fetching.pooch.os_cache = Path
body = fetching.obtain(fetching.RemoteFile("sub/text.txt", sys.argv[1], int(sys.argv[2]), (sys.argv[3],))).data
print(len(body))
"""


def start_fetching(file: RemoteFile) -> subprocess.Popen:
    arguments = [sys.executable, "-c", FETCH, file.sha256, str(file.size), file.urls[0]]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_download_leaves_no_file_and_the_next_one_works(server: Server, tmp_path: Path) -> None:
    server.answers, file, cache = [stall, answer(BODY)], entry(server.url), tmp_path / "cache"
    process = start_fetching(file)
    assert server.half_sent.wait(60)
    process.kill()
    process.communicate(timeout=60)
    left = [path.name for path in cache.iterdir()]
    assert len(left) == 1 and left[0].startswith(fetching.PARTIAL), "it was killed in the middle"
    assert fetching.cached(file) is None
    os.utime(cache / left[0], (0, 0))  # Long ago.
    assert fetching.obtain(file, QUICK).data == BODY
    assert files_below(cache) == ["sub", os.path.join("sub", "text.txt")]


def test_a_download_under_way_is_not_swept_away(server: Server, tmp_path: Path) -> None:
    under_way = tmp_path / "cache" / f"{fetching.PARTIAL}of-another-process"
    under_way.mkdir(parents=True)
    fetching.obtain(entry(server.url), QUICK)
    assert under_way.is_dir()


def test_processes_at_once_all_end_with_the_right_file(server: Server, tmp_path: Path) -> None:
    together, file = threading.Barrier(3), entry(server.url)

    def in_step(handler: Handler) -> None:
        together.wait(60)  # All have found the cache empty and have asked.
        answer(BODY)(handler)

    server.answers = [in_step]
    processes = [start_fetching(file) for _ in range(3)]
    results = [(*process.communicate(timeout=60), process.returncode) for process in processes]
    assert results == [(f"{len(BODY)}\n", "", 0)] * 3
    assert len(server.paths) == 3 and fetching.cached(file).data == BODY
    assert files_below(tmp_path / "cache") == ["sub", os.path.join("sub", "text.txt")]


# Mirrors ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spell", [str, Path.as_uri])
def test_a_mirror_folder_is_copied_from(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spell) -> None:
    mirror = tmp_path / "a mirror"
    (mirror / "sub").mkdir(parents=True)
    (mirror / "sub" / "text.txt").write_bytes(BODY)
    monkeypatch.setenv("LM_COURSE_MIRROR", spell(mirror))
    file = entry(server.url)
    assert fetching.at_hand(file)
    copy = fetching.obtain(file, QUICK)
    assert copy.data == copy.place.read_bytes() == BODY and copy.place.is_relative_to(tmp_path / "cache")
    assert server.paths == [], "a mirror stands instead of the public addresses"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_mirror_address_has_the_layout_of_the_folder(server: Server, monkeypatch: pytest.MonkeyPatch, slash: str) -> None:
    monkeypatch.setenv("LM_COURSE_MIRROR", f"{server.url}/base{slash}")
    assert not fetching.at_hand(entry("http://elsewhere.invalid/")), "a server is a network"
    assert fetching.obtain(entry("http://elsewhere.invalid/"), QUICK).data == BODY
    assert server.paths == ["/base/sub/text.txt"]


@pytest.mark.parametrize(("held", "message"), [(None, "no such file"), (PAGE, "HTML page"), (BODY[:9], "only 9 of")])
def test_a_mirror_folder_is_checked(tmp_path: Path, monkeypatch, naps, held: bytes | None, message: str) -> None:
    mirror = tmp_path / "mirror" / "sub"
    mirror.mkdir(parents=True)
    if held is not None:
        (mirror / "text.txt").write_bytes(held)
    monkeypatch.setenv("LM_COURSE_MIRROR", str(mirror.parent))
    assert not fetching.at_hand(entry())
    with pytest.raises(CorpusError, match=message) as failure:
        fetching.obtain(entry(), QUICK)
    assert f"now it is {mirror.parent}" in str(failure.value) and naps == []
    assert files_below(tmp_path / "cache") == []


# Corpora ------------------------------------------------------------------------------------------------------------------

PLAY = "First Citizen:\nSpeak, speak.\r\n\nAll:\rné\u2028 end" * 20 + "\nExeunt"
REVIEWS = {"train": "sentence\tlabel\ngood \t1\n", "val": "sentence\tlabel\nbad \t0\n"}
ENGLISH, GERMAN = "A dog\u2028runs.\nTwo men.\n", "Ein Hund rennt.\nZwei\tMänner.\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror folder with a few lines in place of each real corpus, and a small world."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()

    def put(path: str, text: str) -> RemoteFile:
        body = text.encode("utf-8")
        body = gzip.compress(body, mtime=0) if path.endswith(".gz") else body
        (mirror / path).write_bytes(body)
        return entry("http://elsewhere.invalid/", body=body, path=path)

    play = put("play.txt", PLAY)
    pairs = (put("en.gz", ENGLISH), put("de.gz", GERMAN))
    shapes = {
        "shakespeare": {"train": (play,), "val": (play,)},
        "sst2": {split: (put(f"{split}.tsv", text),) for split, text in REVIEWS.items()},
        "multi30k": dict.fromkeys(("train", "val", "test"), pairs),
    }
    for name, shape in shapes.items():
        monkeypatch.setitem(corpora.REAL, name, corpora.Real(name, shape, "the course goes on"))
    monkeypatch.setattr(corpora, "WORLD", tmp_path / "world")
    corpora.WORLD.mkdir()
    for split in ("train", "val", "heldout"):
        (corpora.WORLD / f"{split}.txt").write_bytes(f"a {split} story .\r\nit ends .\n".encode())
    monkeypatch.setenv("LM_COURSE_MIRROR", str(mirror))
    return mirror


@pytest.mark.parametrize("name", corpora.SPLITS)
def test_train_and_val_are_the_whole(small: Path, name: str) -> None:
    train, val = corpora.load(name, "train"), corpora.load(name, "val")
    assert train and val and train + val == corpora.load(name)


@given(st.text())
def test_a_cut_loses_and_doubles_nothing(text: str) -> None:
    train, val = corpora._cut(text, "train"), corpora._cut(text, "val")
    assert train + val == text and len(train) == int(0.9 * len(text))


def test_texts_are_those_of_the_files(small: Path) -> None:
    assert corpora.load("shakespeare") == PLAY, "newlines and all"
    assert corpora.load("shakespeare", "train") == PLAY[: int(0.9 * len(PLAY))]
    assert corpora.load("sst2", "train") == REVIEWS["train"] and corpora.load("sst2", "val") == REVIEWS["val"]
    assert corpora.load("multi30k", "test") == "A dog\u2028runs.\tEin Hund rennt.\nTwo men.\tZwei Männer.\n"
    assert corpora.load("world", "heldout") == "a heldout story .\r\nit ends .\n"


def test_python_docs_are_all_topics_in_a_stable_order() -> None:
    from pydoc_data.topics import topics

    rest = corpora.load("python-docs")
    assert len(rest) > 300_000
    for name in sorted(topics):
        assert rest.startswith(topics[name]), name
        rest = rest[len(topics[name]) + 1 :]
    assert rest == ""


def test_a_python_without_its_documentation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(CorpusError, match="without pydoc_data"):
        corpora.load("python-docs")


@pytest.mark.parametrize("ask", [corpora.load, corpora.available, corpora.fetch])
def test_an_unknown_name_gets_the_list(ask: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match=r"'shakspeare'.*world, python-docs, shakespeare, sst2, multi30k"):
        ask("shakspeare")


def test_an_unknown_split_gets_the_list() -> None:
    with pytest.raises(ValueError, match=r"world has no split 'test'; choose one of train, val, heldout, or None"):
        corpora.load("world", "test")


def test_available_says_what_loads_without_a_network(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(corpora.available(name) for name in corpora.SPLITS)
    corpora.fetch("multi30k")
    monkeypatch.setenv("LM_COURSE_MIRROR", "http://elsewhere.invalid")
    assert corpora.available("multi30k") and corpora.available("python-docs")
    assert not corpora.available("sst2")
    (corpora.WORLD / "val.txt").unlink()
    assert not corpora.available("world")
    with pytest.raises(CorpusError, match=r"val\.txt is missing.*git checkout"):
        corpora.load("world")


def test_fetch_says_what_lies_where(small: Path, tmp_path: Path) -> None:
    copies = corpora.fetch("sst2")
    assert [copy.place for copy in copies] == [tmp_path / "cache" / "train.tsv", tmp_path / "cache" / "val.tsv"]
    assert corpora.fetch("world") == corpora.fetch("python-docs") == ()


def test_real_text_is_shakespeare_where_it_can_be_had(small: Path) -> None:
    text = corpora.real_text()
    assert (text.name, text.train + text.val) == ("shakespeare", PLAY)
    assert f"{len(PLAY):,} characters" in text.notice and "NOTICE" not in text.notice
    assert str(small) not in text.notice, "the same in every notebook on every machine"


def test_real_text_falls_back_loudly(small: Path, monkeypatch: pytest.MonkeyPatch, closed_port: str) -> None:
    monkeypatch.setenv("LM_COURSE_MIRROR", closed_port)
    text = corpora.real_text()
    assert (text.name, text.train + text.val) == ("python-docs", corpora.load("python-docs"))
    assert "Shakespeare" not in text.title
    wanted = (
        "NOT SHAKESPEARE",
        "Wanted:",
        "no connection",
        "What to do",
        "python -m helpers.corpora",
        "python-docs",
        "do not apply",
    )
    for part in (*wanted, f"{len(text.train + text.val):,} characters"):
        assert part in text.notice


def test_the_command_fetches_all_and_says_so(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert corpora.main() == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in first] == ["shakespeare", "sst2", "multi30k"]
    assert all(str(small) in line and str(tmp_path / "cache") in line and " bytes" in line for line in first)
    assert corpora.main() == 0
    assert capsys.readouterr().out.count("already in") == 3


def test_the_command_without_a_network_asks_once_and_fails(small: Path, monkeypatch, capsys, closed_port: str) -> None:
    corpora.fetch("multi30k")
    monkeypatch.setenv("LM_COURSE_MIRROR", closed_port)
    assert corpora.main() == 1
    out = capsys.readouterr().out
    assert out.count("no connection") == 1 and "sst2: not tried, since no server answered; the course goes on." in out
    assert re.search("^multi30k: .* already in", out, re.M), "what is there is still reported"


def test_the_command_goes_on_after_one_failure(small: Path, server: Server, monkeypatch, capsys) -> None:
    held = [answer((small / name).read_bytes()) for name in ("train.tsv", "val.tsv", "en.gz", "de.gz")]
    server.answers = [answer(PAGE), *held]
    monkeypatch.setenv("LM_COURSE_MIRROR", server.url)
    assert corpora.main() == 1
    out = capsys.readouterr().out
    assert "shakespeare: not there; the course goes on." in out and "HTML page" in out
    assert "sst2: sst2, " in out and "multi30k: multi30k, " in out


# The registry -------------------------------------------------------------------------------------------------------------


def test_every_address_is_pinned_to_a_commit() -> None:
    files = [file for real in corpora.REAL.values() for file in real.files]
    assert len(files) == 9 == len({file.sha256 for file in files}) == len({file.path for file in files})
    for file in files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size > 0
        assert all(re.match(r"https://[^ ]+[/@][0-9a-f]{40}/[^ ]+$", url) for url in file.urls)


@pytest.fixture
def originals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real files, where this machine has them already; what a test reads from a mirror stays out of the real cache."""
    monkeypatch.setattr(fetching, "caches", lambda: (tmp_path / "cache", *REAL_CACHES))
    if REAL_MIRROR and not REAL_MIRROR.lower().startswith("http"):
        monkeypatch.setenv("LM_COURSE_MIRROR", REAL_MIRROR)


def original(name: str, split: str | None = None) -> str:
    if not corpora.available(name):
        pytest.skip(f"{name} is neither in the cache nor in a mirror folder; `python -m helpers.corpora` fetches it")
    return corpora.load(name, split)


def test_shakespeare_is_the_one_that_others_measure_on(originals: None) -> None:
    text = original("shakespeare")
    assert (len(text), len(set(text)), len(text.encode())) == (1_115_394, 65, 1_115_394)
    assert len(corpora.load("shakespeare", "train")) == 1_003_854
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")


def test_sst2_is_the_one_of_glue(originals: None) -> None:
    for split, count in (("train", 67_349), ("val", 872)):
        rows = [line.split("\t") for line in original("sst2", split).removesuffix("\n").split("\n")]
        assert len(rows) == count + 1 and all(len(row) == 2 for row in rows)
        assert rows[0][0] == "label" and {label for label, _ in rows[1:]} == {"0", "1"}


def test_multi30k_has_a_pair_a_line(originals: None) -> None:
    for split, count in (("train", 29_000), ("val", 1_014), ("test", 1_000)):
        rows = original("multi30k", split).removesuffix("\n").split("\n")
        assert len(rows) == count and all(row.count("\t") == 1 for row in rows)


def test_what_the_prose_quotes_must_be_what_was_measured_on_shakespeare_only():
    on = corpora.Corpus("shakespeare", "Shakespeare", "", "", "")
    on.quoted(2.2132, 2.21, 2)
    with pytest.raises(AssertionError, match=r"the text says 2\.21, but 2\.2154 was measured"):
        on.quoted(2.2154, 2.21, 2)
    corpora.Corpus("python-docs", "Python", "", "", "").quoted(3.1, 2.21, 2)
