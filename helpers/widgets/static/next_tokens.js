// Next tokens of several models. The text goes to Python as it changes; each `frame` that comes back holds a column for every model.

function render({ model, el: host }) {
  const root = frameOf(host, "Next tokens of several models");
  root.classList.add("lm-wide");
  const text = textBox(model, root);
  const columns = model.get("frame").columns.map(column);
  const compared = el("div", { class: "lm-status", "aria-live": "polite" });
  const help = "Click a token to append it; or press ↓ at the end of your text, then its number, or the arrow keys and Enter. All bars have one scale. Point at a token to compare it.";
  root.append(text.box, el("div", { class: "lm-columns" }, ...columns.map((each) => each.node)), compared, el("div", { class: "lm-muted", text: help }), text.waiting);

  function column(_, number) {
    const name = el("b", {});
    const notes = el("div", { class: "lm-notes" });
    const error = el("div", { class: "lm-waiting", role: "alert" });
    const rest = el("div", { class: "lm-muted lm-rest" });
    const bars = barList("", (index) => append(number, index), (key) => leave(key, number));
    const node = el("section", { class: "lm-panel" }, name, notes, error, bars.list, rest);
    for (const event of ["focusin", "mouseover"]) bars.list.addEventListener(event, (at) => compare(number, at.target.closest("li")));
    bars.list.addEventListener("mouseleave", () => compare());
    bars.list.addEventListener("focusout", () => compare());

    function draw(shown, longest) {
      name.textContent = shown.name;
      notes.replaceChildren(...shown.notes.map((note) => el("div", { text: note })));
      error.textContent = shown.error;
      rest.textContent = shown.rest;
      bars.list.setAttribute("aria-label", `Likeliest next tokens, ${shown.name}; number keys choose`);
      bars.draw(shown.suggestions, longest);
    }
    return { node, bars, draw };
  }

  function append(number, index) {
    const { join, suggestions } = model.get("frame").columns[number];
    const piece = suggestions[index]?.append;
    if (piece && text.fresh()) text.set(text.box.value + joined(text.box.value, piece, join)); // a list of an older text waits
  }

  // Out of a list: up to the text, or to the same place in the next list.
  function leave(key, number) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const row = [...columns[number].bars.list.children].indexOf(document.activeElement.closest("li"));
    if (key === "ArrowUp") text.box.focus();
    else if (step) columns[number + step]?.bars.focus(row);
  }

  // What every model gives the token of this row, which is marked wherever it stands.
  function compare(number, row) {
    const frame = model.get("frame");
    const index = row ? [...row.parentElement.children].indexOf(row) : -1;
    const token = frame.columns[number]?.suggestions[index]?.token;
    compared.textContent = frame.lines[token] ?? "";
    columns.forEach(({ bars }, i) => [...bars.list.children].forEach((each, j) => each.classList.toggle("lm-same", token !== undefined && frame.columns[i].suggestions[j]?.token === token)));
  }

  text.box.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || text.box.selectionEnd !== text.box.value.length) return;
    event.preventDefault();
    columns.find(({ bars }) => bars.list.childElementCount)?.bars.focus(0);
  });

  const stop = follow(model, ["frame"], () => {
    const frame = model.get("frame");
    text.answered();
    const longest = Math.max(...frame.columns.flatMap(({ suggestions }) => suggestions.map(({ probability }) => probability)), 1e-300);
    frame.columns.forEach((each, i) => columns[i].draw(each, longest));
    const focused = document.activeElement?.closest?.(".lm-bars li");
    const number = columns.findIndex(({ bars }) => bars.list.contains(focused));
    compare(number, number < 0 ? null : focused);
  });
  return () => (stop(), text.stop());
}

export default { render };
