// Attention explorer. The text goes to Python; each `frame` that comes back is one reading of it, with all weights. What is chosen
// lives here, in `app.state`; panels draw it. A head's queries, keys and values come when it is chosen, in `head`.

const PAUSE = 250; // milliseconds after a key before the model reads
const WARNING = "This is not what the model does. Every token now looks at later ones too, among them the very token that it should predict; the model never did so in training, so neither its weights nor its next tokens mean what they meant.";
const HELP = "Point at a token to see where it looks; click it, or press Enter, to pin it, and Escape to let go. The arrow keys move. A token that looks has a query, a token that is looked at a key; layers, heads and positions are counted from 0, as in Python.";

function render({ model, el: host }) {
  const root = frameOf(host, "Attention explorer");
  root.classList.add("lm-wide");
  const text = textBox(model, root, PAUSE);
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const note = div("lm-note");
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const lifted = el("input", { type: "checkbox", onchange: () => link.request({ type: "mask", on: !lifted.checked }) });
  const mask = el("label", { class: "lm-row" }, lifted, "What if: without the causal mask");
  const warning = el("div", { class: "lm-waiting", role: "status" });
  const kinds = el("div", { class: "lm-row", role: "group", "aria-label": "Which attention" });
  const status = el("div", { class: "lm-status", "aria-live": "polite" });

  const app = explorerState(Boolean(model.get("snapshot")), (what) => {
    change(what);
    link.ask();
    link.tell();
  });
  const link = pythonLink(model, app, waiting);
  const teacher = teacherBar(app, view, show);
  const panels = [teacher, tokenFlow(app), headGrid(app), weightFilter(app), tokenColumns(app), weightMatrix(app), nextTokens(app, text), cellArithmetic(), weightTable()];
  const measured = experiments(app, model, link, panels[2].node, () => change({ settings: true }));
  panels.push(measured);
  const [bar, flow, heads, filter, tokens, matrix, next, cell, table, more] = panels.map((panel) => panel.node);
  const parts = (...nodes) => div("lm-parts", ...nodes);
  const body = div("lm-explorer", bar, kinds, measured.steps, mask, warning, flow, status, parts(div("lm-panel", heads, filter), tokens), parts(matrix, next), cell, table, more);
  text.box.readOnly = app.readOnly;
  root.append(text.box, error, note, text.waiting, waiting, body, el("div", { class: "lm-muted", text: HELP }));

  // ---- from Python

  function receive() {
    const frame = model.get("frame");
    text.answered();
    error.textContent = frame.error && `The model cannot read this: ${frame.error}.${frame.kinds.length ? " Below is the last text that it could read." : ""}`;
    note.textContent = `${app.readOnly ? "A saved page: its text cannot be changed. " : ""}${frame.kinds.length > 1 ? "The first line is the source, the second the target. " : ""}${frame.note}`;
    put(warning, frame.mask === "off" ? WARNING : "");
    [mask.hidden, lifted.checked] = [!frame.mask || app.readOnly, frame.mask === "off"];
    body.hidden = !frame.kinds.length;
    if (!frame.kinds.length || app.reading?.revision >= frame.revision) return;
    const first = !app.reading;
    app.take(readingOf(frame, model.get("snapshot")));
    if (first) Object.assign(app.state, known(model.get("view")));
    const { kind, layer, head } = frame.head;
    if (!link.isAsking()) Object.assign(app.state, { kind, layer, head });
    link.settle();
    app.fit();
    change(ALL);
    link.ask();
  }

  function receiveHead() {
    const detail = model.get("head");
    if (!app.reading || detail.revision !== app.reading.revision) return; // of an older text
    app.reading.take(detail);
    const { kind, layer, head } = detail;
    if (!link.isAsking()) Object.assign(app.state, { kind, layer, head }); // chosen in Python or in another view
    link.settleHead(detail);
    app.fit();
    change(CELL);
    link.ask();
  }

  function receivePosition() {
    const detail = model.get("position");
    if (!app.reading || detail?.revision !== app.reading.revision) return;
    app.reading.takeLogits(detail);
    link.settleIf("position");
    change({ settings: true });
    link.ask();
  }

  function receiveView() {
    const given = model.get("view");
    if (!app.reading || given?.by !== "python") return;
    link.settleIf("state");
    put(teacher.said, given.error ?? "");
    if (!given.error) app.apply(given);
  }

  // ---- the view as a text

  function view() {
    const { text: shown, mask } = app.reading;
    return { text: JSON.parse(shown), causal_mask: mask !== "off", step: app.reading.step ?? null, ...app.state };
  }

  function show(given, said) {
    if (!app.readOnly) return link.request({ type: "state", state: given });
    try {
      const wanted = JSON.parse(given);
      const here = view();
      if ((wanted.text ?? here.text) !== here.text || (wanted.causal_mask ?? here.causal_mask) !== here.causal_mask) return put(said, "This page holds one text only, and that is another one.");
      put(said, "");
      app.apply(wanted);
    } catch {
      put(said, "This is no view: expected what “Share this view” gives.");
    }
  }

  // ---- drawing: once a frame of the screen, all that has changed

  let [changed, look, shades, seen] = [null, null, null, null];
  let [second, skipped] = [null, 0]; // the frame that draws what may come a frame later
  let [owed, owes] = [new Set(), {}]; // the panels that it draws, and why
  let opens = true; // what comes first comes bit by bit, so that no frame takes long
  let blind = false; // drawn last where it had no size, as in a cell that has not been scrolled to
  const filtered = filterOnce(app);

  function change(what) {
    if (!changed) requestAnimationFrame(draw);
    changed = { ...changed, ...what };
  }

  function draw() {
    const what = changed;
    changed = null;
    if (!app.reading || !root.isConnected) return;
    root.classList.toggle("lm-large", app.state.large);
    if (what.look && look) seeLook();
    const hidden = app.secret("weights");
    const [weights, row] = hidden ? [] : [app.reading.weights(app.state), app.row()];
    seen = { ...app, kind: app.kind(), row, weights, shown: filtered(weights), look, shades, hidden };
    drawKinds(seen);
    const waits = opens ? 2 : what.reading ? 5 : what.settings || what.look ? panels.length : 0; // from which panel on some may wait
    panels.forEach((panel, i) => (i >= waits && (opens || panel.later || what.reading) ? owed.add(panel) : panel.draw(seen, what)));
    owes = { ...owes, ...what };
    if (owed.size) second ??= requestAnimationFrame(drawLater);
    else finish();
  }

  // Where only the cell or the head has changed, the eye follows tokens, lines and matrix; the rest comes a frame later, or where the mouse
  // moves on and on, every third frame. Of a new text the upper panels come first.
  function drawLater() {
    second = null;
    if (changed && ++skipped < 3) second = requestAnimationFrame(drawLater);
    else finish();
  }

  function finish() {
    skipped = 0;
    if (!look) Object.assign(seen, seeLook()); // not in the first frame: to ask for it before all is laid out lays out twice
    panels.forEach((panel) => panel.measure?.());
    if (opens) settle();
    const until = performance.now() + (opens ? 5 : Infinity);
    for (const panel of owed) {
      panel.draw(seen, owes);
      owed.delete(panel);
      if (performance.now() > until) break;
    }
    if (!owed.size) put(status, sentence(seen));
    if (owed.size || opens) second ??= requestAnimationFrame(drawLater);
    if (!opens) settle();
    if (!owed.size) [owes, opens] = [{}, false];
  }

  function settle() {
    panels.forEach((panel) => owed.has(panel) || panel.rest?.());
  }

  function seeLook() {
    blind = !root.clientWidth;
    look = paperOf(root);
    shades = shadesOf(look);
    return { look, shades };
  }

  function drawKinds({ reading, state }) {
    kinds.hidden = reading.kinds.length < 2;
    if (kinds.childElementCount !== reading.kinds.length)
      kinds.replaceChildren(...reading.kinds.map(({ name }, kind) => el("button", { class: "lm-button", type: "button", text: name, onclick: () => app.chooseHead(app.state.layer, app.state.head, kind) })));
    [...kinds.children].forEach((button, kind) => button.setAttribute("aria-pressed", String(kind === state.kind)));
  }

  onKey(text.box, (event) => {
    if (event.key !== "ArrowDown" || text.box.selectionEnd !== text.box.value.length || body.hidden) return;
    event.preventDefault();
    next.querySelector("button")?.focus();
  });
  onKey(root, (event) => {
    if (event.key.toLowerCase() === "r" && !isShortcut(event)) app.reveal();
  });

  let [wide, sighted] = [0, false];
  const unlook = onLook(body, (sizes) => {
    const now = sizes ? sizes[0].contentRect?.width : wide; // a change of height says nothing
    if (sizes ? now && (blind || (wide && now !== wide)) : blind || sighted || !look) change({ look: true }); // what comes first is drawn already
    wide = now || wide;
    sighted ||= !sizes;
  });
  const stops = [follow(model, ["frame"], receive), follow(model, ["head"], receiveHead), follow(model, ["position"], receivePosition), follow(model, ["view"], receiveView)];
  stops.push(follow(model, ["presets"], () => teacher.setPresets(model.get("presets") ?? [])));
  return () => (stops.forEach((stop) => stop()), unlook(), text.stop(), link.stop(), measured.stop());
}

export default { render };
