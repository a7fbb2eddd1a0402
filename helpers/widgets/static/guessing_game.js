// Shannon's guessing game. Python is the judge: a key press or a click becomes a message, and each new `state` is drawn.

function render({ model, el: host }) {
  const root = frameOf(host, "Guessing game");
  const context = el("span", { class: "lm-muted" });
  const cells = el("span", {});
  const board = el("div", { class: "lm-board", tabindex: "0", role: "application", "aria-label": "Text so far. Type the next character." }, context, cells);
  const message = el("div", { class: "lm-message", "aria-live": "polite" });
  const result = el("div", { class: "lm-result" });
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const keys = el("div", { class: "lm-keys", role: "group", "aria-label": "Characters to guess; arrow keys move" });
  const reveal = el("button", { class: "lm-button", type: "button", text: "Reveal it", onclick: () => send({ type: "reveal" }) });
  const help = el("span", { class: "lm-muted", text: "Click the text and type, or click a character. Enter guesses ↵ (a new line), the space bar ␣." });
  root.append(board, message, keys, el("div", { class: "lm-row" }, reveal, help), result, waiting);

  let asked = 0;
  const wait = patience(waiting, () => (model.get("state").revision ?? 0) > asked);
  function send(content) {
    asked = model.get("state").revision;
    wait.send(model, content);
  }
  const guess = (character) => send({ type: "guess", character });

  // a press of the mouse leaves the focus on the board, so that typing can go on at once
  keys.addEventListener("mousedown", (event) => (event.preventDefault(), board.focus()));

  function keyOf([character, shown, name]) {
    return el("button", { class: "lm-key", type: "button", tabindex: "-1", "aria-label": name, "data-character": character, text: shown, onclick: () => guess(character) });
  }

  function drawKeys({ alphabet, tried, done }) {
    if (keys.childElementCount !== alphabet.length) {
      keys.replaceChildren(...alphabet.map(keyOf));
      keys.firstElementChild?.setAttribute("tabindex", "0");
    }
    for (const key of keys.children) {
      const out = done || tried.includes(key.dataset.character);
      key.classList.toggle("lm-tried", out);
      key.setAttribute("aria-disabled", String(out));
    }
  }

  function drawCells({ cells: found, hidden }) {
    const drawn = found.map(([shown, rank, breaks]) => {
      const cell = el("span", { class: rank > 1 ? "lm-cell lm-late" : "lm-cell" }, el("span", { text: shown }), el("sub", { text: String(rank), title: `found at guess ${rank}` }));
      return breaks ? [cell, el("br")] : [cell];
    });
    const next = hidden ? [el("span", { class: "lm-cell lm-next" }, el("span", { text: "?" }), el("sub", { text: " " }))] : [];
    cells.replaceChildren(...drawn.flat(), ...next, el("span", { class: "lm-muted lm-left", text: hidden > 1 ? ` ${hidden - 1} more after it` : "" }));
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const onButton = event.target instanceof HTMLButtonElement;
    if (event.target.parentElement === keys && event.key.startsWith("Arrow")) moveFocus(event);
    else if (onButton && (event.key === "Enter" || event.key === " ")) return; // presses the button
    else if (event.key === "Enter") take(event, "\n");
    else if ([...event.key].length === 1) take(event, event.key);
  });

  function take(event, character) {
    event.preventDefault();
    event.stopPropagation();
    guess(character);
  }

  function moveFocus(event) {
    const all = [...keys.children];
    const top = all[0].offsetTop;
    const columns = Math.max(1, all.filter((key) => key.offsetTop === top).length);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const target = all[all.indexOf(event.target) + step];
    event.preventDefault();
    event.stopPropagation();
    if (!target) return;
    event.target.setAttribute("tabindex", "-1");
    target.setAttribute("tabindex", "0");
    target.focus();
  }

  return follow(model, ["state"], () => {
    const state = model.get("state");
    wait.stop();
    context.textContent = state.context.replaceAll("\n", "↵\n");
    drawCells(state);
    drawKeys(state);
    message.textContent = state.message;
    result.textContent = state.result;
    reveal.setAttribute("aria-disabled", String(state.done));
    board.scrollTop = board.scrollHeight;
  });
}

export default { render };
