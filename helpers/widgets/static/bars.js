// Next tokens as bars, each a button: shared by the widgets that suggest. `choose(index)` takes one; `leave(key)` is called for
// an arrow key that leads out of the list.
function barList(label, choose, leave) {
  const list = el("ol", { class: "lm-bars", "aria-label": label });

  function row(index) {
    const number = el("span", { class: "lm-number", text: String((index + 1) % 10), "aria-hidden": "true" });
    const parts = [number, el("span", { class: "lm-token" }), el("span", { class: "lm-track" }, el("span", { class: "lm-bar" })), el("span", { class: "lm-percent" })]; // their words are its name
    return el("li", {}, el("button", { class: "lm-suggestion", type: "button", onclick: () => choose(index) }, ...parts));
  }

  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where it is
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...list.querySelectorAll("button")];
    const next = buttons.indexOf(event.target) + { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (/^[0-9]$/.test(event.key)) choose((Number(event.key) + 9) % 10); // 1 … 9, then 0 for the tenth
    else if (buttons[next]) buttons[next].focus();
    else if (event.key.startsWith("Arrow")) leave(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function draw(suggestions, longest = Math.max(...suggestions.map((each) => each.probability), 1e-300)) {
    while (list.childElementCount < suggestions.length) list.append(row(list.childElementCount)); // reused: the focus stays
    while (list.childElementCount > suggestions.length) list.lastElementChild.remove();
    suggestions.forEach(({ shown, percent, probability, append }, index) => {
      const button = list.children[index].firstElementChild;
      button.querySelector(".lm-token").textContent = shown;
      button.querySelector(".lm-percent").textContent = percent;
      button.querySelector(".lm-bar").style.width = `${(100 * probability) / longest}%`;
      button.title = shown; // long tokens are cut
      button.setAttribute("aria-disabled", String(!append));
    });
  }

  return { list, draw, focus: (index) => (list.querySelectorAll("button")[index] ?? list.querySelector("button"))?.focus() };
}

// What stands between a text and the piece that is appended to it, the piece itself, and what follows.
function joined(text, piece, join) {
  if (piece === "\n") return piece;
  return (join && text && !/\s$/.test(text) ? join : "") + piece + join;
}
