// Token view. Text goes to Python as it changes; each `frame` that comes back holds a panel for every tokenizer: the kinds of
// piece that occur, and the pieces as numbers of kinds.

const KEY_TO_STEP = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function tokenPanel() {
  const id = `lm-tokens-${Math.random().toString(36).slice(2)}`;
  const name = el("b", {});
  const size = el("span", { class: "lm-muted" });
  const said = el("span", { class: "lm-said" });
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const list = el("div", { class: "lm-tokens", tabindex: "0", role: "listbox" });
  const more = el("div", { class: "lm-muted" });
  const status = el("div", { class: "lm-status" });
  const node = el("section", { class: "lm-panel" }, el("div", { class: "lm-row" }, name, size, said), error, list, more, status);
  let panel = { pieces: [] };
  let tokens = []; // one element a piece; line breaks stand between them
  let keys = []; // what each of them shows
  let current = -1; // the piece with the cursor

  function describe(index) {
    const kind = panel.kinds[panel.pieces[index]];
    if (kind.kind === "none") return `${kind.shown} · ${kind.said} · bytes ${kind.hex}`;
    const ordinal = panel.pieces.slice(0, index + 1).filter((number) => panel.kinds[number].kind !== "none").length;
    const part = kind.kind === "part" ? "part of a character · " : "";
    return `token ${ordinal} of ${panel.counts.tokens}: ${kind.shown} · ${part}${kind.said} · bytes ${kind.hex}`;
  }

  function say(index) {
    status.textContent = tokens[index] ? describe(index) : "";
  }

  function moveTo(index) {
    tokens[current]?.classList.remove("lm-current");
    tokens[current]?.removeAttribute("id");
    current = Math.max(0, Math.min(index, tokens.length - 1));
    const token = tokens[current];
    if (!token) return;
    token.classList.add("lm-current");
    token.id = id;
    token.setAttribute("aria-label", describe(current));
    list.setAttribute("aria-activedescendant", id);
    token.scrollIntoView({ block: "nearest" });
    say(current);
  }

  // The token above or below: the nearest one in another line.
  function vertical(step) {
    const { offsetTop: top, offsetLeft: left } = tokens[current];
    let found = current;
    for (let i = current + step; tokens[i] && (found === current || tokens[i].offsetTop === tokens[found].offsetTop); i += step) {
      if (tokens[i].offsetTop === top) continue;
      if (found === current || Math.abs(tokens[i].offsetLeft - left) < Math.abs(tokens[found].offsetLeft - left)) found = i;
    }
    return found;
  }

  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !tokens.length) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") moveTo(vertical(event.key === "ArrowUp" ? -1 : 1));
    else if (event.key in KEY_TO_STEP) moveTo(current + KEY_TO_STEP[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("focus", () => moveTo(current));
  list.addEventListener("mouseover", (event) => say(tokens.indexOf(event.target)));
  list.addEventListener("mouseleave", () => say(current));
  list.addEventListener("click", (event) => tokens.includes(event.target) && moveTo(tokens.indexOf(event.target)));

  function piece({ shown, kind, breaks }) {
    const token = el("span", { class: `lm-piece lm-is-${kind}`, role: "option", text: shown });
    return breaks ? [token, el("br")] : [token];
  }

  // Only what lies between the first and the last change is built anew: of a long text, typing changes little.
  function drawTokens() {
    const kinds = panel.pieces.map((number) => panel.kinds[number]);
    const next = kinds.map(({ shown, kind, breaks }) => `${kind} ${breaks} ${shown}`);
    const shorter = Math.min(keys.length, next.length);
    let [start, end] = [0, 0];
    while (start < shorter && keys[start] === next[start]) start++;
    while (end < shorter - start && keys.at(-1 - end) === next.at(-1 - end)) end++;
    for (const token of tokens.splice(start, keys.length - start - end)) {
      if (token.nextSibling?.tagName === "BR") token.nextSibling.remove();
      token.remove();
    }
    const built = kinds.slice(start, next.length - end).map(piece);
    const fragment = document.createDocumentFragment();
    fragment.append(...built.flat());
    list.insertBefore(fragment, tokens[start] ?? null);
    tokens = [...tokens.slice(0, start), ...built.map(([token]) => token), ...tokens.slice(start)];
    keys = next;
  }

  function draw(next) {
    panel = next;
    name.textContent = panel.name;
    size.textContent = panel.size;
    said.textContent = panel.said;
    error.textContent = panel.error;
    more.textContent = panel.more;
    list.setAttribute("aria-label", `${panel.name}: tokens; arrow keys move`);
    drawTokens();
    list.hidden = !tokens.length;
    if (current >= tokens.length) current = tokens.length - 1;
    if (list.contains(document.activeElement)) moveTo(current);
    else say(current);
  }

  return { node, draw };
}

function render({ model, el: host }) {
  const root = frameOf(host, "Token view");
  root.classList.add("lm-wide");
  const text = textBox(model, root);
  const { examples } = model.get("frame");
  const buttons = examples.map(([name, example]) => el("button", { class: "lm-button", type: "button", text: name, onclick: () => text.set(example) }));
  const chooser = el("div", { class: "lm-row", role: "group", "aria-label": "Example texts" }, "Examples:", ...buttons);
  const length = el("div", {});
  const panels = model.get("frame").panels.map(tokenPanel);
  const marks = "Each box is a token: point at one, or press Tab and then the arrow keys, for its id and its bytes. ␣ space, ↵ new line, dotted box: bytes that are only a part of a character, like ‹E4 BD›; dashed box: not in the vocabulary.";
  root.append(text.box, chooser, length, ...panels.map((panel) => panel.node), el("div", { class: "lm-muted", text: marks }), text.waiting);

  const stop = follow(model, ["frame"], () => {
    const frame = model.get("frame");
    text.answered();
    length.textContent = frame.length;
    frame.panels.forEach((panel, i) => panels[i].draw(panel));
    examples.forEach(([, example], i) => buttons[i].setAttribute("aria-pressed", String(example === text.box.value)));
  });
  return () => (stop(), text.stop());
}

export default { render };
