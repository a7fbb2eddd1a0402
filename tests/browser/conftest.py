"""A real JupyterLab and a real Chromium: fixtures for what only a browser can show.

    def test_it(open_notebook, low_contrast):
        lab = open_notebook(notebook)               # a path, or a NotebookNode made in the test; always a copy
        lab.run_all()                               # from a fresh kernel; fails the test where a cell raises
        lab.page.locator("canvas").screenshot(...)  # Playwright's page
        assert lab.python("1 + 1") == 2             # in its kernel
        assert low_contrast(lab.widgets.first) == []

The browser may reach this machine only. After each test, a request to another host or an error on the console fails it.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat
import pytest
from nbformat import NotebookNode
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PageTimeout

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
HOW_TO_GET_ONE = (
    "no Chromium or Chrome was found; install one (Debian and Ubuntu: `apt install chromium`, macOS: `brew install chromium`,"
    " Windows: `winget install Google.Chrome`)"
)
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--force-color-profile=srgb",
]
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
}
# JupyterLab's debugger sometimes asks a kernel that is just being replaced for its state, and reports that as an error.
WITHOUT_DEBUGGER = {"disabledExtensions": {"@jupyterlab/debugger-extension": True}}
TRACKER = "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"

# What a page can tell about its notebook, as one JSON value.
CONNECTED = """() => {
    const context = window.jupyterapp?.shell?.currentWidget?.context;
    const session = context?.isReady && context.sessionContext?.isReady && context.sessionContext.session;
    return Boolean(session && session.kernel?.connectionStatus === 'connected' && session.kernel.status === 'idle');
}"""
CELLS = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    return Array.from({length: panel.model.cells.length}, (_, i) => panel.model.cells.get(i).toJSON());
}"""

# How far the notebook has run: the kernel's status, the numbers of the code cells without a count, what a cell has raised. The
# outputs stay in the page: to fetch megabytes of pictures ten times a second takes a processor.
PROGRESS = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = Array.from({length: panel.model.cells.length}, (_, i) => panel.model.cells.get(i))
        .filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim());
    const outputs = cells.flatMap(cell => Array.from({length: cell.outputs.length}, (_, i) => cell.outputs.get(i)));
    const error = outputs.find(output => output.type === 'error')?.toJSON();
    const arrow = error?.traceback.join('\\n').replace(/\\x1b\\[[0-9;]*m/g, '').split('\\n').find(line => /^-+> /.test(line));
    return {status: panel.context.sessionContext.session?.kernel?.status,
            waiting: cells.flatMap((cell, i) => cell.executionCount ? [] : [i + 1]), cells: cells.length,
            error: error ? `${error.ename}: ${error.evalue}\\n${arrow ?? ''}` : null};
}"""

# Contrast of every visible text in a widget against what stands behind it, opacity included: [text, ratio] below 4.5.
CONTRAST = """root => {
    const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return [...n.slice(0, 3), n[3] ?? 1]; };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
    const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                         return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = node => { const up = [];
                             for (let n = node; n; n = n.parentElement) up.push(parse(getComputedStyle(n).backgroundColor));
                             return up.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
    const low = [];
    for (const node of root.querySelectorAll('*')) {
        const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
        if (!own || node.closest('[aria-disabled=true]') || !node.offsetParent) continue;
        let opacity = 1;
        for (let n = node; n !== root; n = n.parentElement) opacity *= Number(getComputedStyle(n).opacity);
        const color = parse(getComputedStyle(node).color), ground = behind(node);
        const [a, b] = [light(over([...color.slice(0, 3), color[3] * opacity], ground)), light(ground)].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) low.push([node.textContent, (a + 0.05) / (b + 0.05)]);
    }
    return low;
}"""
# Notes what is drawn on each canvas since it was last wiped: filled rectangles as [x, y, width, height, shade], and strokes of
# curves as [x, y of the end, thickness, colour].
WATCH_DRAWING = """(() => {
    const {prototype} = CanvasRenderingContext2D;
    const note = (name, tell) => {
        const own = prototype[name];
        prototype[name] = function (...given) { tell(this, given); return own.apply(this, given); };
    };
    const wipe = ({canvas}) => Object.assign(canvas, {rectangles: [], curves: []});
    note("clearRect", wipe);
    note("scale", wipe);  // a canvas of a new size is empty
    note("fillRect", (context, given) => context.canvas.rectangles?.push([...given, context.globalAlpha]));
    note("beginPath", context => context.ends = null);
    note("bezierCurveTo", (context, given) => context.ends = given.slice(4));
    note("stroke", context => context.ends &&
        context.canvas.curves?.push([...context.ends, context.lineWidth, context.strokeStyle]));
})();"""
EVALUATE = """async code => {
    const future = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({code});
    let printed = '';
    future.onIOPub = message => { if (message.header.msg_type === 'stream') printed += message.content.text; };
    await future.done;
    return printed;
}"""


def find_chromium() -> str | None:
    """The path of a Chromium, Chrome or Edge on this machine, or None."""
    found = filter(None, map(shutil.which, NAMES))
    return next(found, None) or next((place for place in PLACES if os.path.exists(place)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless browser, shared by the session; skips where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_GET_ONE)
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *as_root])
        yield browser
        browser.close()


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, the folder that it serves, and its settings folder."""

    url: str
    folder: Path
    settings: Path

    def set(self, name: str, values: dict) -> None:
        """Store settings; the next page that opens has them."""
        path = self.settings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab with folders of its own, so that neither the user's settings nor the user's notebooks are touched."""
    base = tmp_path_factory.mktemp("jupyterlab")
    folders = {name: base / name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
    server = Server(f"http://127.0.0.1:{free_port()}", base / "notebooks", base / "settings")
    for path in (*folders.values(), server.folder, server.settings):
        path.mkdir()
    for name, values in SETTINGS.items():
        server.set(name, values)
    (folders["CONFIG"] / "labconfig").mkdir()
    (folders["CONFIG"] / "labconfig" / "page_config.json").write_text(json.dumps(WITHOUT_DEBUGGER), encoding="utf-8")
    environment = {**os.environ, **{f"JUPYTER_{name}_DIR": str(path) for name, path in folders.items()}}
    environment |= {"IPYTHONDIR": str(base / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(server.settings)}
    environment |= {"JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces")}
    with (base / "log.txt").open("w", encoding="utf-8") as log:
        options = {"env": environment, "cwd": server.folder, "stdout": log, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(lab_command(server), **options)
        try:
            wait_for(server, process, base / "log.txt")
            yield server
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lab_command(server: Server) -> list[str]:
    """The command line of a JupyterLab that needs no token, asks nothing and shows its app object to the tests."""
    options = f"""--no-browser --allow-root --ip=127.0.0.1 --ServerApp.port={urlsplit(server.url).port}
        --ServerApp.port_retries=0 --IdentityProvider.token= --LabApp.expose_app_in_browser=True
        --LabApp.extension_manager=readonly"""
    return [sys.executable, "-m", "jupyterlab", *options.split(), f"--ServerApp.root_dir={server.folder}"]


def wait_for(server: Server, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Return when the server answers; fail with its log where it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(URLError, ConnectionError, TimeoutError), urlopen(server.url + "/api", timeout=5):
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start; its log:\n{log.read_text(encoding='utf-8')[-3000:]}")


@dataclass
class OpenNotebook:
    """A notebook open in JupyterLab: `page` is Playwright's; `elsewhere` and `console_errors` are what went wrong so far."""

    page: Page
    path: Path
    elsewhere: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def run_all(self, timeout: float = 120) -> list[NotebookNode]:
        """Run every cell and return the code cells as they then are; fails where one raises or `timeout` seconds go by."""
        self.start("notebook:clear-all-cell-outputs")
        self.start("notebook:run-all-cells")
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            now = self.page.evaluate(PROGRESS)
            if now["error"]:
                pytest.fail(f"a cell of {self.path.name} raises {now['error']}")
            if now["cells"] and not now["waiting"] and now["status"] == "idle":
                return self.code_cells()
            self.page.wait_for_timeout(200)
        waiting = self.page.evaluate(PROGRESS)["waiting"]
        return pytest.fail(
            f"{self.path.name}: after {timeout:g} s these code cells have not finished: {waiting or 'there are none'}"
        )

    def settle(self) -> None:
        """Wait until every explorer is drawn to its last words; three seconds at most, for not every view has such words."""
        drawn = "() => [...document.querySelectorAll('.lm-widget .lm-status')].every(words => words.textContent)"
        with contextlib.suppress(PageTimeout):
            self.page.wait_for_function(drawn, timeout=3000)

    def start(self, command: str) -> None:
        """Start a command of JupyterLab without waiting for its end, which a dialog could put off for ever."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", command)

    def code_cells(self) -> list[NotebookNode]:
        """The code cells that have a source, with their outputs, as the page's model has them now."""
        cells = [nbformat.from_dict(cell) for cell in self.page.evaluate(CELLS)]
        return [cell for cell in cells if cell.cell_type == "code" and "".join(cell.source).strip()]

    def python(self, expression: str) -> object:
        """The value of an expression in the notebook's kernel, as JSON carries it."""
        return json.loads(self.page.evaluate(EVALUATE, f"import json; print(json.dumps({expression}))"))

    @property
    def widgets(self) -> Locator:
        """The course's widgets on the page."""
        return self.page.locator(".jp-OutputArea-output .lm-widget")


@pytest.fixture
def open_notebook(
    chromium: Browser, jupyterlab: Server, request: pytest.FixtureRequest
) -> Iterator[Callable[..., OpenNotebook]]:
    """A function that opens a copy of a notebook: `open_notebook(path_or_node, windowing="full", dark=False, viewport=(w, h))`.

    `windowing` is JupyterLab's windowing mode: "none" keeps every cell on the page, "full", its default, only those in sight.
    """
    opened: list[OpenNotebook] = []
    with contextlib.ExitStack() as stack:

        def open_one(
            source: Path | NotebookNode, windowing: str = "full", dark: bool = False, viewport: tuple[int, int] = (1280, 900)
        ) -> OpenNotebook:
            path = copy_into(jupyterlab.folder, source, f"{len(list(jupyterlab.folder.iterdir()))}_{request.node.name[:40]}")
            jupyterlab.set(TRACKER, {"windowingMode": windowing})
            theme = "JupyterLab Dark" if dark else "JupyterLab Light"
            jupyterlab.set("@jupyterlab/apputils-extension/themes.jupyterlab-settings", {"theme": theme})
            size = {"width": viewport[0], "height": viewport[1]}
            context = stack.enter_context(chromium.new_context(viewport=size, color_scheme="dark" if dark else "light"))
            lab = OpenNotebook(context.new_page(), path)
            opened.append(lab)
            watch(lab)
            # ?reset: without what an earlier page left open.
            lab.page.goto(f"{jupyterlab.url}/lab/tree/{path.name}?reset", wait_until="domcontentloaded")
            lab.page.wait_for_function(CONNECTED, timeout=60_000)
            return lab

        yield open_one
        for lab in opened:
            shut_down(lab)
    assert [host for lab in opened for host in lab.elsewhere] == [], "the page asked hosts other than this machine"
    assert [error for lab in opened for error in lab.console_errors] == [], "errors on the browser's console"


@pytest.fixture
def watch_drawing() -> Callable[[Page], None]:
    """A function that has a page, and what it opens later, note on its canvases what is drawn on them (`WATCH_DRAWING`)."""

    def watch_now_and_later(page: Page) -> None:
        page.add_init_script(WATCH_DRAWING)
        page.evaluate(WATCH_DRAWING)

    return watch_now_and_later


@pytest.fixture
def low_contrast() -> Callable[[Locator], list]:
    """A function from a widget to its texts that are hard to read, as [text, contrast]."""
    return lambda widget: widget.evaluate(CONTRAST)


def copy_into(folder: Path, source: Path | NotebookNode, stem: str) -> Path:
    """Write a copy of a notebook under a name of its own, so that no test finds another's outputs; returns its path."""
    notebook = nbformat.read(source, as_version=4) if isinstance(source, Path) else source
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata.setdefault("kernelspec", kernelspec)  # without one JupyterLab opens a dialog
    path = folder / ("".join(letter if letter.isalnum() else "_" for letter in stem) + ".ipynb")
    nbformat.write(notebook, path)
    return path


def watch(lab: OpenNotebook) -> None:
    """Let the page reach this machine only; note every other request, every console error and every uncaught exception."""

    def check(route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            lab.elsewhere.append(route.request.url)
            route.abort()

    def note(message) -> None:
        if message.type == "error":
            lab.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def note_socket(websocket) -> None:
        if urlsplit(websocket.url).hostname != "127.0.0.1":
            lab.elsewhere.append(websocket.url)

    lab.page.context.route(lambda url: url.startswith(("http:", "https:")), check)
    lab.page.on("websocket", note_socket)
    lab.page.on("console", note)
    lab.page.on("pageerror", lambda error: lab.console_errors.append(str(error)))


def shut_down(lab: OpenNotebook) -> None:
    """End the notebook's kernel, so that kernels of finished tests do not pile up."""
    with contextlib.suppress(Exception):  # a page that has crashed has failed its test already
        lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget?.context?.sessionContext?.shutdown(); }")
        lab.page.wait_for_timeout(200)
