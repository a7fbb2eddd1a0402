"""The attention explorer's budgets, measured in Chromium: what a hover, another head and a new page cost, and what travels.

    python benchmarks/explorer.py

prints a Markdown table. A page saved by `save_html` runs the same script as JupyterLab does, without its noise. A real mouse
moves; Chromium's own trace says how long its main thread worked from the event until the repaint was handed on: script, style,
layout and paint, in processor time, so that a busy machine counts less. A hover is drawn in two frames: first what the eye
follows (marks, lines, bars, the cursor in the matrix), then numbers and words; the second is a row of its own. Long tasks are
what the browser itself reports as such, by the clock. The first paint and a key's way through Python are measured by the clock,
the latter in JupyterLab (`_explorer_lab.py`).
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _explorer_lab import in_jupyterlab
from _table import machine
from playwright.sync_api import Browser, Page, sync_playwright

from helpers import world
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import AttentionExplorer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from conftest import HOW_TO_GET_ONE, find_chromium

N_TOKENS, ROUNDS = 68, 60
CATEGORIES = ["devtools.timeline", "cc", "toplevel"]
LONG_TASKS = """window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => [each.startTime, each.duration])))
    .observe({type: "longtask", buffered: true});"""


def make(n_layer: int, n_head: int, n_tokens: int) -> AttentionExplorer:
    """A GPT that has learned nothing, on the first tokens of a story."""
    words = [token for story in world.sample(8, seed=5) for token in world.tokenize(story)]
    vocab = ["</s>", *sorted(set(words))]
    sizes = {"n_layer": n_layer, "n_head": n_head, "n_embd": 16 * n_head, "block_size": 256}
    gpt = GPT(GPTConfig(vocab_size=len(vocab), init_std=0.25, **sizes), vocab)
    return AttentionExplorer(gpt, None, " ".join(words[: n_tokens - 1]), layer=n_layer - 1)


def of_main_thread(trace: Path) -> list[dict]:
    """What the thread did that draws the page, in the order of time."""
    found = [each for each in json.loads(trace.read_bytes())["traceEvents"] if each.get("ph") == "X"]
    main = next((each["pid"], each["tid"]) for each in found if each["name"] == "FireAnimationFrame")
    return sorted((each for each in found if (each["pid"], each["tid"]) == main), key=lambda each: each["ts"])


def frames(trace: Path, event: str) -> np.ndarray:
    """For each input event: milliseconds of the main thread in the frame that answers it, and in the next one, (N, 2)."""
    mine = of_main_thread(trace)
    drawn = [each for each in mine if each["name"] == "FireAnimationFrame"]
    starts = [each for each in mine if each["name"] == "EventDispatch" and each["args"]["data"]["type"] == event]
    whole = [each for each in mine if each["name"] == "ProxyMain::BeginMainFrame"]
    rows = []
    for start in starts:
        with_script = [
            frame
            for frame in whole
            if any(start["ts"] <= each["ts"] and frame["ts"] <= each["ts"] < frame["ts"] + frame["dur"] for each in drawn)
        ]
        if len(with_script) > 1:
            before = start["tdur"] if start["ts"] < with_script[0]["ts"] else 0  # a move is told within the frame that draws it
            rows.append([before + with_script[0]["tdur"], with_script[1]["tdur"]])
    return np.array(rows) / 1000


def traced(browser: Browser, page: Page, actions: list[Callable[[], object]], event: str) -> np.ndarray:
    """Do one action after the other, with time between them for all that follows."""
    with tempfile.TemporaryDirectory() as folder:
        browser.start_tracing(page=page, path=Path(folder) / "trace.json", categories=CATEGORIES)
        for action in actions:
            action()
            page.wait_for_timeout(80)
        browser.stop_tracing()
        return frames(Path(folder) / "trace.json", event)


def rows_of_hovers_and_heads(browser: Browser, path: Path) -> list[tuple[str, np.ndarray, str]]:
    """Milliseconds of each, with its budget."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.add_init_script(LONG_TASKS)
    page.goto(path.as_uri())
    page.locator(".lm-flow-token").last.wait_for()
    page.wait_for_timeout(500)
    loaded = page.evaluate("performance.now()")
    look = page.locator(".lm-look").bounding_box()
    tokens = [token.bounding_box() for token in page.locator(".lm-flow-token").all()]
    rows = [(look["x"] + 100, look["y"] + 9 + 18 * (11 * i % 24)) for i in range(ROUNDS)]
    flow = [tokens[29 * i % len(tokens)] for i in range(ROUNDS)]
    columns = traced(browser, page, [lambda at=at: page.mouse.move(*at) for at in rows], "mouseover")
    text = traced(browser, page, [lambda at=at: page.mouse.move(at["x"] + 4, at["y"] + 8) for at in flow], "mouseover")
    heads = page.locator(".lm-head")
    heads.first.scroll_into_view_if_needed()
    switch = traced(browser, page, [heads.nth(i % heads.count()).click for i in range(1, ROUNDS + 1)], "click")
    tasks = page.evaluate("longTasks")
    page.close()
    return [
        ("longest task over 50 ms while the mouse moves and heads change", longest(tasks, loaded, np.inf), "none"),
        ("longest task over 50 ms while the page opens", longest(tasks, 0, loaded), "none"),
        ("hover in the columns, until the repaint", columns[:, 0], "≤ 8 ms p95"),
        ("hover in the text, until the repaint", text[:, 0], "≤ 8 ms p95"),
        ("the frame after it: numbers, words, arithmetic, next tokens", columns[:, 1], "no task over 50 ms"),
        ("another head", switch[:, 0], "≤ 16 ms p95"),
    ]


def longest_while_opening(browser: Browser, path: Path) -> np.ndarray:
    """Milliseconds of processor time of the main thread's longest task until all is painted, of several fresh pages."""
    taken = []
    for _ in range(10):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.json"
            browser.start_tracing(page=page, path=trace, categories=CATEGORIES)
            page.goto(path.as_uri())
            page.locator(".lm-status:not(:empty)").first.wait_for()
            page.wait_for_timeout(300)
            browser.stop_tracing()
            tasks = [each for each in of_main_thread(trace) if each["name"].endswith("RunTask")]
        page.close()
        taken.append(max(each.get("tdur", 0) for each in tasks) / 1000)
    return np.array(taken)


def longest(tasks: list[list[float]], start: float, end: float) -> np.ndarray:
    """The longest of the tasks (start, milliseconds) that began between the two, as an array; empty where there was none."""
    found = [duration for began, duration in tasks if start <= began < end]
    return np.array([max(found)] if found else [])


# When the last part of the explorer has been painted: the words below the text come with it.
ALL_PAINTED = """const look = () => requestAnimationFrame(() => {
    if (!document.querySelector('.lm-status:not(:empty)')) return look();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.allPainted = performance.now();
    channel.port2.postMessage(0);
});
look();"""


def all_painted(browser: Browser, path: Path) -> np.ndarray:
    """Milliseconds from the request of the page until all of it has been painted, of several fresh pages."""
    taken = []
    for _ in range(10):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.add_init_script(ALL_PAINTED)
        page.goto(path.as_uri())
        page.wait_for_function("window.allPainted")
        taken.append(page.evaluate("allPainted"))
        page.close()
    return np.array(taken)


def first_paint(browser: Browser, path: Path, n_tokens: int = N_TOKENS) -> np.ndarray:
    """Milliseconds from the request of the page to its first contentful paint, the text's tokens, of several fresh pages."""
    taken = []
    for _ in range(10):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(path.as_uri())
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        assert page.locator(".lm-flow-token").count() == n_tokens  # nothing else was painted before
        taken.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        page.close()
    return np.array(taken)


def main() -> None:
    """Measure, and print the table."""
    if find_chromium() is None:
        raise SystemExit(HOW_TO_GET_ONE)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        make(4, 4, N_TOKENS).save_html(path)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        measured = rows_of_hovers_and_heads(browser, path)
        opening = longest_while_opening(browser, path)
        measured.append(("longest task while a page opens, processor time", opening, "no task over 50 ms"))
        measured.append(("first paint of a saved page", first_paint(browser, path), "≤ 300 ms"))
        measured.append(("all of a saved page painted", all_painted(browser, path), ""))
        empty = Path(folder) / "empty.html"
        empty.write_text("<!doctype html><p>one word", encoding="utf-8")
        measured.append(("first paint of a page with one word", first_paint(browser, empty, 0), ""))
        (Path(folder) / "lab").mkdir()
        measured += in_jupyterlab(browser, Path(folder) / "lab")
        told = f"{machine('anywidget', 'playwright')}, Chromium {browser.version}, {N_TOKENS} tokens, 4 layers × 4 heads"
        browser.close()
        print(f"{told}\n\n| what | runs | median | p95 | asked |\n|---|---:|---:|---:|---|")
        for name, taken, budget in measured:
            if not len(taken):
                print(f"| {name} | | none | | {budget} |")
                continue
            middle, high = np.percentile(taken, [50, 95])
            print(f"| {name} | {len(taken)} | {middle:.1f} ms | {high:.1f} ms | {budget} |")
        large = make(12, 12, 64)
        sent = sum(len(kind["weights"]) for kind in large.frame["kinds"])
        print(f"| weights that travel, 12 layers × 12 heads × 64 tokens | 1 | {sent / 1e6:.2f} MB | | ≤ 1.2 MB |")
        for explorer, name in ((make(4, 4, 64), "4 × 4 heads"), (large, "12 × 12 heads")):
            explorer.save_html(path)
            print(f"| saved page, 64 tokens, {name} | 1 | {path.stat().st_size / 1000:.0f} kB | | ≤ 300 kB |")


if __name__ == "__main__":
    main()
