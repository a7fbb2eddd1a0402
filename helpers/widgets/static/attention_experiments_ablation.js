// Heads switched off: a button for each, what that changes, and a map of what each head alone is worth.

const INSTEAD = { zero: "a head that is off fetches nothing (zero)", mean: "a head that is off fetches its mean over this text" };

function ablationPanel(tools, body) {
  const { app, grid } = tools;
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const [without, each] = [measured(tools, waiting), measured(tools, waiting)];
  const instead = choice("What a head that is off fetches", INSTEAD, (value) => app.set({ instead: value }));
  const allOn = el("button", { class: "lm-button", type: "button", text: "All on again", onclick: () => app.set({ off: [] }) });
  const where = choice("Where the loss is measured", { text: "over the text", here: "at the chosen position" }, () => (placed = true));
  const measure = el("button", { class: "lm-button", type: "button", text: "Measure each head alone", onclick: () => ask() });
  const anyway = el("button", { class: "lm-button", type: "button", text: "Measure all the same", onclick: () => ask(true) });
  const cells = el("div", { class: "lm-heads", role: "group", "aria-label": "Heads, a row for each layer: press one to switch it off or on; arrow keys move" });
  const scale = div("lm-row lm-small");
  const pointed = div("lm-status lm-small"); // the head under the mouse, or with the focus
  const mapped = el("div", { class: "lm-small", role: "status" });
  const result = el("div", { class: "lm-note", role: "status" });
  const bars = el("ol", { class: "lm-bars lm-two" });
  const title = el("b", {});
  const numbers = folded("The map as a table", el("div", {}));
  let buttons = []; // [layer][head]
  let placed = false; // somebody has chosen where the loss is measured
  let [built, wanted, tabled, shown] = ["", null, null, null];
  body.replaceChildren(
    div("lm-explorer", div("lm-row", instead, allOn), waiting),
    div("lm-parts", div("lm-panel", cells, pointed, scale, mapped, div("lm-row", where, measure, anyway), numbers), div("lm-panel lm-grow", result, title, bars)),
  );

  const place = ({ kind, layer, head }) => `${kind} ${layer} ${head}`;
  function toggle(layer, head) {
    const { kind, off } = app.state;
    const here = place({ kind, layer, head });
    const others = off.filter(([k, l, h]) => place({ kind: k, layer: l, head: h }) !== here);
    app.set({ off: others.length < off.length ? others : [...off, [kind, layer, head]] });
  }

  function ask(long = false) {
    const { kind, query } = app.state;
    wanted = { what: "map", kind, instead: app.state.instead, position: where.value === "here" && app.kind().predicts ? query : null, long, revision: app.reading.revision };
    tools.again();
  }

  function build({ layers, heads }) {
    const size = Math.max(22, Math.min(44, Math.floor(330 / heads)));
    cells.style.gridTemplateColumns = `auto repeat(${heads}, ${size}px)`;
    const label = (text) => el("span", { class: "lm-small lm-muted", text, "aria-hidden": "true" });
    buttons = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: heads }, (_, head) =>
        el("button", { class: "lm-switch", type: "button", tabindex: layer + head ? "-1" : "0", "data-at": `${layer} ${head}`, style: `width: ${size - 2}px; height: ${size - 2}px`, onclick: () => toggle(layer, head), onmouseenter: () => point(layer, head), onfocus: () => point(layer, head) }, el("span", {})),
      ),
    );
    cells.replaceChildren(label(""), ...Array.from({ length: heads }, (_, head) => label(`${head}`)), ...buttons.flatMap((row, layer) => [label(`layer ${layer}`), ...row]));
  }

  onKey(cells, (event) => {
    const [down, right] = arrowOf(event);
    if (down === undefined) return;
    taken(event);
    const [layer, head] = event.target.dataset.at.split(" ").map(Number);
    const next = buttons[layer + down]?.[head + right];
    if (!next) return;
    [event.target.tabIndex, next.tabIndex] = [-1, 0];
    next.focus();
  });
  onKey(grid, (event) => {
    if (event.key.toLowerCase() !== "o" || isShortcut(event) || !body.parentElement.open) return;
    event.stopPropagation();
    toggle(app.state.layer, app.state.head);
  });

  function point(layer, head) {
    shown = buttons[layer][head];
    put(pointed, shown.title);
  }

  // What is known about each head alone, where it is of this text, this attention and this way of switching off.
  function mapNow({ reading, state }) {
    const fresh = wanted?.revision === reading.revision && wanted.kind === state.kind && wanted.instead === state.instead;
    return fresh ? each(wanted) : null;
  }

  function draw(seen) {
    const { reading, state, secret } = seen;
    const kind = reading.kinds[state.kind];
    const hidden = secret("next");
    const off = state.off.filter(([k, layer, head]) => layer < reading.kinds[k]?.layers && head < reading.kinds[k].heads).sort();
    if (`${kind.layers} ${kind.heads}` !== built) build(kind);
    built = `${kind.layers} ${kind.heads}`;
    instead.value = state.instead;
    const asks = kind.predicts && (reading.masked || state.query < kind.T - 1); // the last position has no next token
    if (!placed) where.value = asks && blind(reading) ? "here" : "text";
    allOn.setAttribute("aria-disabled", String(!off.length));
    const map = hidden ? null : mapNow(seen);
    drawCells(seen, off, map);
    drawMap(seen, map);
    const answer = off.length && !hidden ? without({ what: "ablate", off, instead: state.instead, revision: reading.revision }) : null;
    drawChange(seen, off, answer, hidden);
  }

  function drawCells({ state, look }, off, map) {
    const most = map?.map ? Math.max(...map.map.flat().map(Math.abs), 1e-9) : 0;
    const mine = new Set(off.filter(([kind]) => kind === state.kind).map(([, layer, head]) => `${layer} ${head}`));
    const above = grid.querySelectorAll(".lm-head");
    buttons.flat().forEach((button, i) => {
      const [layer, head] = button.dataset.at.split(" ").map(Number);
      const isOff = mine.has(button.dataset.at);
      const worth = map?.map?.[layer][head];
      const said = `${nameOf(layer, head)}: ${isOff ? "off" : "on"}${worth === undefined ? "" : `; off alone ${signed(worth, 4)} nats`}`;
      button.setAttribute("aria-pressed", String(isOff));
      if (button.getAttribute("aria-label") !== said) button.setAttribute("aria-label", said);
      button.title = said;
      button.firstChild.style.backgroundColor = worth === undefined ? "" : diverging(worth / most, look);
      above[i]?.classList.toggle("lm-off", isOff);
    });
    put(pointed, shown?.isConnected ? shown.title : "");
    const swatch = (x) => el("span", { class: "lm-swatch", style: `background: ${diverging(x, look)}` });
    scale.hidden = !map?.map;
    if (map?.map) scale.replaceChildren(`loss without the head: ${signed(-most, 3)}`, ...[-1, -0.5, 0, 0.5, 1].map(swatch), `${signed(most, 3)} nats`);
  }

  function drawMap({ reading, state }, map) {
    numbers.hidden = !map?.map;
    anyway.hidden = !map?.seconds;
    if (map === tabled) return;
    tabled = map;
    if (!map) return put(mapped, "");
    if (map.error) return put(mapped, `This cannot be measured: ${map.error}.`);
    if (map.seconds) return put(mapped, long(reading.kinds[state.kind], map.seconds));
    const at = wanted.position === null ? "over the text, per token" : `at ${named(reading.kinds[state.kind].queries[wanted.position], wanted.position)}`;
    put(mapped, `Each head alone, ${at}: orange where the loss rises without it, blue where it falls.`);
    const heads = ["layer", ...map.map[0].map((_, head) => `head ${head}`)];
    numbers.lastChild.replaceChildren(tableOf(`Rise of the loss without each head, nats, ${at}`, heads, map.map.map((row, layer) => [`layer ${layer}`, ...row.map((x) => signed(x, 4))])));
  }

  function long({ layers, heads, T }, seconds) {
    const time = seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
    return `This would take about ${time}: each of the ${layers * heads} heads needs a reading of its own of the ${T} tokens. A shorter text takes less. While it lasts the kernel does nothing else; interrupting the kernel ends it.`;
  }

  function drawChange({ reading, state }, off, answer, hidden) {
    const kind = reading.kinds[state.kind];
    const at = kind.predicts ? state.query : reading.predictions.length - 1;
    const names = namesOf(off, reading.kinds);
    const rows = answer?.rows?.[at] ?? [];
    put(title, rows.length ? `Next tokens ${reading.masked ? "at" : "after"} ${named(reading.kinds[0].queries[at], at)}: before → after` : "");
    bars.setAttribute("aria-label", title.textContent);
    const longest = Math.max(...rows.flatMap(([, before, after]) => [before, after]), 1e-9);
    while (bars.childElementCount < rows.length) bars.append(bar());
    while (bars.childElementCount > rows.length) bars.lastChild.remove();
    rows.forEach((row, i) => fill(bars.children[i], row, longest));
    if (hidden) return put(result, COVERED);
    const doubt = doubtOf(reading);
    const there = named(reading.kinds[0].queries[at], at);
    if (!off.length) return put(result, `All heads are on: what is shown above is the model. ${lossOf(reading, at)} Press a head to switch it off, or O on one of the pictures above; weights above stay those of the whole model.`);
    if (!answer) return put(result, `Off: ${names}. Python is reading without …`);
    if (answer.error) return put(result, `This cannot be measured: ${answer.error}.`);
    const what = `the ${answer.asked} ${reading.masked ? "tokens that stand here, which the model sees" : "tokens that follow one another"}`;
    const over = answer.loss ? `Loss over ${what}: ${change(answer.loss, "nats per token")}.${doubt && ` It is no measure here: ${doubt}.`}` : "The text asks nothing yet, so it has no loss.";
    const here = answer.at[at] ? `At ${there}: ${change(answer.at[at], "nats")}.` : doubt && `At ${there} the text asks nothing, so there is no loss; the bars show what changes.`;
    const mean = state.instead === "mean" ? "The mean is that of this very text, so a head that is off still tells something of what comes later in it." : "";
    put(result, [`Off: ${names}.`, ...(doubt ? [here, over] : [over, here]), mean].filter(Boolean).join(" "));
  }

  const bar = () => el("li", { class: "lm-suggestion" }, el("span", { class: "lm-token" }), el("span", { class: "lm-track" }, el("span", { class: "lm-bar" }), el("span", { class: "lm-before" })), el("span", { class: "lm-percent" }));

  function fill(row, [token, before, after], longest) {
    put(row.firstChild, token);
    row.firstChild.title = token;
    row.querySelector(".lm-bar").style.width = `${(100 * after) / longest}%`;
    row.querySelector(".lm-before").style.left = `${(100 * before) / longest}%`;
    put(row.lastChild, `${percent(before)} → ${percent(after)}`);
  }

  return { draw };
}

// Whether the model does far worse over the text than one that guesses evenly: it was trained for some positions only. (A model that
// was not trained at all does little worse.)
const blind = ({ loss, vocab_size }) => loss !== null && loss > 1.5 * Math.log(vocab_size);

// Why the loss over the text says little; empty where it says something.
function doubtOf(reading) {
  if (blind(reading)) return `even guessing would cost ${number(Math.log(reading.vocab_size))}, so this model was not trained for every position of such a text`;
  return reading.masked ? "the model sees the very tokens that it is asked for" : "";
}

// The loss of the text; where that says little, first what is expected at the chosen position.
function lossOf(reading, at) {
  if (reading.loss === null) return "The text asks nothing yet, so it has no loss.";
  const loss = `Loss over the text: ${number(reading.loss)} nats per token`;
  const [doubt, { rows, actual }] = [doubtOf(reading), reading.predictions[at]];
  const here = actual ? `${reading.masked ? "stands" : "comes"} ${actual}` : `nothing follows in the text; the model expects “${rows[0][0]}” most, with ${rows[0][1]}`;
  return doubt ? `At ${named(reading.kinds[0].queries[at], at)} ${here}. (${loss}, but ${doubt}.)` : `${loss}.`;
}

// Heads in few words: whole attentions, whole layers, and the heads of the others.
function namesOf(off, kinds) {
  const several = (word, numbers) => `${word}${numbers.length > 1 ? "s" : ""} ${numbers.join(", ")}`;
  return kinds
    .flatMap(({ layers, heads, name }, kind) => {
      const byLayer = Array.from({ length: layers }, (_, layer) => off.filter(([k, l]) => k === kind && l === layer).map(([, , head]) => head));
      const [full, some] = [(of) => of.length === heads, (of) => of.length && of.length < heads];
      const all = byLayer.flatMap((of, layer) => (full(of) ? [layer] : []));
      const rest = byLayer.flatMap((of, layer) => (some(of) ? [`layer ${layer}, ${several("head", of)}`] : []));
      const said = all.length === layers ? ["all heads"] : [...(all.length ? [`all heads of ${several("layer", all)}`] : []), ...rest];
      return said.length && kinds.length > 1 ? [`${said.join("; ")} (${name})`] : said;
    })
    .join("; ");
}

// From the page's colour at 0 to orange at 1 and to blue at −1.
function diverging(x, { rgb, dark }) {
  const end = x > 0 ? (dark ? [255, 150, 60] : [213, 94, 0]) : dark ? [86, 180, 233] : [0, 114, 178];
  return `rgb(${rgb.map((from, i) => Math.round(from + (end[i] - from) * Math.min(1, Math.abs(x)))).join(" ")})`;
}
