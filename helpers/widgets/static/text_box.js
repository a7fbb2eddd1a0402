// A text box whose text Python reads: shared by the widgets that show what becomes of a text. The text goes as a message; the
// `frame` that answers says which text it belongs to. One question at a time: what is typed meanwhile goes when the answer comes.
const DEBOUNCE = 60; // milliseconds, where Python answers quickly

function textBox(model, root, delay = DEBOUNCE) {
  const box = el("textarea", { class: "lm-text", rows: "2", "aria-label": "Your text", spellcheck: "false" });
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  let dirty = false; // what stands in the box has not been answered
  let asked = null; // the text that Python is reading
  let timer = null;
  const wait = patience(waiting, () => !dirty);

  function ask() {
    timer = null;
    if (asked !== null && !waiting.textContent) return; // an answer that is long overdue may never come
    asked = box.value;
    wait.send(model, { type: "text", text: asked });
  }

  // Call it when the box has changed; the pause lets a word be typed in one go.
  function changed(pause) {
    dirty = true;
    root.classList.add("lm-stale");
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  function answered() {
    const text = JSON.parse(model.get("frame").text);
    if (dirty && text !== asked && text !== box.value) return; // another view's text, or an older one
    asked = null;
    if (!dirty || text === box.value) {
      if (box.value !== text) box.value = text; // set in Python or in another view
      dirty = false;
      timer = clearTimeout(timer);
      wait.stop();
    } else if (!timer) ask();
    root.classList.toggle("lm-stale", dirty);
  }

  box.addEventListener("input", () => changed(delay));
  box.addEventListener("keydown", (event) => event.stopPropagation());
  return {
    box,
    waiting,
    answered,
    fresh: () => !dirty,
    set(text) {
      box.value = text;
      changed(0);
    },
    stop: () => clearTimeout(timer),
  };
}
