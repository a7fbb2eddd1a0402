// Attention explorer. The text goes to Python; each `frame` that comes back is one reading of it, with all weights. What is chosen
// lives here, in `state`; panels draw it. A head's queries and keys come when it is chosen, in `head`.

const PAUSE = 250; // milliseconds after a key before the model reads
const WARNING = "This is not what the model does. Every token now looks at later ones too, among them the very token that it should predict; the model never did so in training, so neither its weights nor its next tokens mean what they meant.";

function render({ model, el: host }) {
  const root = frameOf(host, "Attention explorer");
  root.classList.add("lm-wide");
  const text = textBox(model, root, PAUSE);
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const note = el("div", { class: "lm-note" });
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const lifted = el("input", { type: "checkbox", onchange: () => request({ type: "mask", on: !lifted.checked }) });
  const mask = el("label", { class: "lm-row" }, lifted, "What if: without the causal mask");
  const warning = el("div", { class: "lm-waiting", role: "status" });
  const kinds = el("div", { class: "lm-row", role: "group", "aria-label": "Which attention" });
  const status = el("div", { class: "lm-status", "aria-live": "polite" });
  let asked = null; // the message that Python has not answered
  const wait = patience(waiting, () => asked === null);

  const app = {
    reading: null,
    readOnly: Boolean(model.get("snapshot")), // a saved page: what is not there cannot be asked for
    state: { kind: 0, layer: 0, head: 0, query: 0, key: 0, pinned: false, sampling: UNSHAPED, filter: UNFILTERED },
    // Settings that do not move the cell.
    set(settings) {
      Object.assign(app.state, settings);
      change({ settings: true });
      ask();
    },
    kind: () => app.reading.kinds[app.state.kind],
    chooseHead(layer, head, kind = app.state.kind) {
      Object.assign(app.state, { layer, head, kind });
      fit();
      change({ head: true });
      ask();
    },
    // A cell: a query without a key goes with its strongest one.
    move(cell) {
      Object.assign(app.state, cell);
      if (cell.key === undefined) app.state.key = best();
      change({});
      ask();
    },
    hover(cell) {
      const same = Object.entries(cell).every(([name, value]) => app.state[name] === value);
      if (!app.state.pinned && !same) app.move(cell);
    },
    press(cell) {
      const same = Object.entries(cell).every(([name, value]) => app.state[name] === value);
      app.state.pinned = !(app.state.pinned && same);
      app.move(same ? { ...cell, key: app.state.key } : cell);
    },
    pinKey({ key }) {
      if (!["Enter", " ", "Escape"].includes(key)) return false;
      app.state.pinned = key !== "Escape" && !app.state.pinned;
      change({});
      return true;
    },
  };

  const panels = [tokenFlow(app), headGrid(app), weightFilter(app), tokenColumns(app), weightMatrix(app), nextTokens(app, text), cellArithmetic(), weightTable()];
  const [flow, heads, filter, tokens, matrix, next, cell, table] = panels.map((panel) => panel.node);
  const help = "Point at a token to see where it looks; click it, or press Enter, to pin it, and Escape to let go. The arrow keys move. A token that looks has a query, a token that is looked at a key; layers, heads and positions are counted from 0, as in Python.";
  const body = el("div", { class: "lm-explorer" }, kinds, mask, warning, flow, status, el("div", { class: "lm-parts" }, el("div", { class: "lm-panel" }, heads, filter), tokens), el("div", { class: "lm-parts" }, matrix, next), cell, table);
  text.box.readOnly = app.readOnly;
  root.append(text.box, error, note, text.waiting, waiting, body, el("div", { class: "lm-muted", text: help }));

  // ---- what is chosen

  const row = () => {
    const weights = app.reading.weights(app.state);
    const { S } = app.kind();
    return weights?.subarray(app.state.query * S, (app.state.query + 1) * S);
  };
  const best = () => (row() ? strongest(row(), reach(app.kind(), app.state.query))[0] : 0);

  // Keep what is chosen within the reading.
  function fit() {
    const { state } = app;
    state.kind = Math.min(state.kind, app.reading.kinds.length - 1);
    const { T, S, layers, heads } = app.kind();
    state.layer = Math.min(state.layer, layers - 1);
    state.head = Math.min(state.head, heads - 1);
    state.query = Math.min(state.query, T - 1);
    if (!state.pinned || state.key >= S) state.key = best();
  }

  // What Python holds and the page lacks: the head in single precision, and, of a large vocabulary, a position's scores.
  function missing() {
    const { kind, layer, head, query, sampling } = app.state;
    if (!app.reading.exact(app.state)) return { type: "head", kind, layer, head };
    if (isShaping(sampling) && app.kind().predicts && !app.reading.logits(query)) return { type: "position", position: query };
    return null;
  }

  // One question at a time; the last choice counts.
  function ask() {
    const message = asked || app.readOnly ? null : missing();
    if (message) request(message);
  }

  function request(message) {
    asked = message;
    wait.start();
    model.send(message);
  }

  function settled() {
    asked = null;
    wait.stop();
  }

  function answer() {
    const detail = model.get("head");
    if (!app.reading || detail.revision !== app.reading.revision) return; // of an older text
    app.reading.take(detail);
    const { kind, layer, head } = detail;
    if (asked === null) Object.assign(app.state, { kind, layer, head }); // chosen in Python or in another view
    else if (asked.type === "head" && asked.kind === kind && asked.layer === layer && asked.head === head) settled();
    fit();
    change({ head: true });
    ask();
  }

  function answerPosition() {
    const detail = model.get("position");
    if (!app.reading || detail?.revision !== app.reading.revision) return;
    app.reading.takeLogits(detail);
    if (asked?.type === "position") settled();
    change({ settings: true });
    ask();
  }

  function receive() {
    const frame = model.get("frame");
    text.answered();
    error.textContent = frame.error && `The model cannot read this: ${frame.error}.${frame.kinds.length ? " Below is the last text that it could read." : ""}`;
    note.textContent = `${app.readOnly ? "A saved page: its text cannot be changed. " : ""}${frame.kinds.length > 1 ? "The first line is the source, the second the target. " : ""}${frame.note}`;
    put(warning, frame.mask === "off" ? WARNING : "");
    [mask.hidden, lifted.checked] = [!frame.mask || app.readOnly, frame.mask === "off"];
    body.hidden = !frame.kinds.length;
    if (!frame.kinds.length || app.reading?.revision >= frame.revision) return;
    const { state } = app;
    if (!app.reading) Object.assign(state, { query: frame.query ?? Infinity, pinned: frame.query !== null });
    else if (!state.pinned) state.query = Infinity; // the last one: while you type, what comes next
    app.reading = readingOf(frame, model.get("snapshot"));
    if (asked === null) Object.assign(state, { kind: frame.head.kind, layer: frame.head.layer, head: frame.head.head });
    settled();
    fit();
    change({ reading: true, head: true });
    ask();
  }

  // ---- drawing: once a frame of the screen, all that has changed

  let [changed, look, shades] = [null, null, null];
  let [shown, shownFor] = [null, null]; // which weights of the head the filter leaves

  function filtered(weights) {
    const { filter } = app.state;
    if (shownFor?.weights === weights && shownFor.filter === filter) return shown;
    shownFor = { weights, filter };
    shown = weights && filter.by !== "none" ? allShown(weights, app.kind(), filter) : null;
    if (shown) shown.hiddenMass = hiddenMass(weights, shown) / app.kind().T;
    return shown;
  }
  function change(what) {
    if (!changed) requestAnimationFrame(draw);
    changed = { ...changed, ...what };
  }

  function draw() {
    const what = changed;
    changed = null;
    if (!app.reading || !root.isConnected) return;
    if (!look || what.look) [look, shades] = [paperOf(root), shadesOf(paperOf(root))];
    const weights = app.reading.weights(app.state);
    const seen = { ...app, kind: app.kind(), row: row(), weights, shown: filtered(weights), look, shades };
    drawKinds(seen);
    panels.forEach((panel) => panel.draw(seen, what));
    put(status, sentence(seen));
  }

  function drawKinds({ reading, state }) {
    kinds.hidden = reading.kinds.length < 2;
    if (kinds.childElementCount !== reading.kinds.length)
      kinds.replaceChildren(...reading.kinds.map(({ name }, kind) => el("button", { class: "lm-button", type: "button", text: name, onclick: () => app.chooseHead(app.state.layer, app.state.head, kind) })));
    [...kinds.children].forEach((button, kind) => button.setAttribute("aria-pressed", String(kind === state.kind)));
  }

  function sentence({ state, row }) {
    const { queries, keys } = app.kind();
    const n = reach(app.kind(), state.query);
    const who = `${state.pinned ? "Pinned: " : ""}${named(queries[state.query], state.query)}`;
    if (!row) return app.readOnly ? `${who}. This page holds only a small picture of this head.` : who;
    const top = strongest(row, n).slice(0, 3);
    const rest = 1 - top.reduce((sum, i) => sum + row[i], 0);
    const others = n > top.length ? `; the ${n - top.length} other${n - top.length > 1 ? "s" : ""} together ${percent(Math.max(0, rest))}` : "";
    return `${who} looks at ${top.map((i) => `${named(keys[i], i)} ${percent(row[i])}`).join(", ")}${others}.`;
  }

  text.box.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || text.box.selectionEnd !== text.box.value.length || body.hidden) return;
    event.preventDefault();
    next.querySelector("button")?.focus();
  });

  const unlook = onLook(body, () => change({ look: true }));
  const stops = [follow(model, ["frame"], receive), follow(model, ["head"], answer), follow(model, ["position"], answerPosition)];
  return () => (stops.forEach((stop) => stop()), unlook(), text.stop());
}

export default { render };
