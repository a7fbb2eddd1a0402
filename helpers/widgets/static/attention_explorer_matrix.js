// One head as a matrix: a row for each token that looks, a column for each that is looked at, and a cursor.

const SIDE = 360; // pixels, at most, of the cells each way
const LABEL = 12; // pixels of a cell from which on its token is written beside it

function weightMatrix(app) {
  const canvas = el("canvas", { class: "lm-matrix", tabindex: "0", role: "application" });
  const scale = el("canvas", { class: "lm-scale", "aria-hidden": "true" });
  const key = div("lm-row lm-small", "weight 0", scale, "1", el("span", { class: "lm-hatch" }), el("span", { text: "masked: comes later" }));
  const node = panelOf(el("b", { text: "All its weights: rows look, columns are looked at" }), canvas, key);
  const cells = el("canvas", {}); // a pixel a weight
  const base = el("canvas", {});
  let room = 0; // for its cells; kept, because asking for it lays out the page
  let [size, top, side, width, height, drawn] = [10, 0, 0, 0, 0, ""];

  const fits = (context, text, width) => {
    if (context.measureText(text).width <= width) return text;
    let end = text.length;
    while (end > 1 && context.measureText(text.slice(0, end) + "…").width > width) end--;
    return text.slice(0, end) + "…";
  };

  function measure() {
    room ||= Math.max(120, Math.min(SIDE, node.parentElement.clientWidth - 110)); // a narrow page has less
  }

  // All but the cursor, on a canvas of its own.
  function drawBase({ reading, state, weights, shown, shades, look, hidden }, what) {
    const kind = reading.kinds[state.kind];
    if (what.look) room = 0;
    measure();
    size = Math.min(34, room / Math.max(kind.T, kind.S));
    if (size > 4) size = Math.floor(size);
    const labels = size >= LABEL;
    [top, side] = labels ? [76, 90] : [4, 4];
    [width, height] = [side + size * kind.S + 4, top + size * kind.T + 4];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.setAttribute("aria-label", `Matrix of ${kind.T} by ${kind.S} weights; arrow keys move, Enter pins`);
    if (weights) drawWeights(cells, shown ? weights.map((each, i) => each * shown[i]) : weights, kind.T, kind.S, shades);
    else if (hidden) drawWeights(cells, [0], 1, 1, shades);
    else drawWeights(cells, kind.small(state.layer, state.head), ...kind.shape, shades);
    drawWeights(scale, Float32Array.from({ length: 64 }, (_, i) => i / 63), 1, 64, shades);
    const paint = cleared(base, width, height);
    paint.imageSmoothingEnabled = false;
    paint.drawImage(cells, side, top, size * kind.S, size * kind.T);
    Object.assign(paint, { strokeStyle: look.ink, fillStyle: look.ink, lineWidth: 1 });
    if (kind.causal) hatch(paint, kind);
    paint.strokeRect(side - 0.5, top - 0.5, size * kind.S + 1, size * kind.T + 1);
    if (labels) writeNames(paint, kind, look);
    key.lastChild.hidden = key.children[1].hidden = !kind.causal;
    cleared(canvas, width, height);
  }

  function draw(app, what) {
    const { reading, state, look } = app;
    const { S, T } = reading.kinds[state.kind];
    const now = `${reading.revision} ${state.kind} ${state.layer} ${state.head} ${Boolean(reading.exact(state))} ${JSON.stringify(state.filter)} ${app.hidden}`;
    if (now !== drawn || what.look) drawBase(app, what);
    drawn = now;
    const paint = canvas.getContext("2d");
    paint.clearRect(0, 0, width, height);
    paint.drawImage(base, 0, 0, width, height);
    Object.assign(paint, { strokeStyle: look.ink, lineWidth: 2 });
    const [x, y] = [side + size * state.key, top + size * state.query];
    paint.strokeRect(1, y - 1, side + size * S + 1, size + 2); // the query's row, with its token
    if (top > 4) paint.strokeRect(x - 1, 1, size + 2, top - 2); // the key's token
    for (const [thick, colour] of [[4, look.ink], [1.5, look.paper]]) {
      Object.assign(paint, { lineWidth: thick, strokeStyle: colour });
      paint.strokeRect(x - 1, y - 1, size + 2, size + 2);
    }
  }

  // What may not be looked at, in thin lines.
  function hatch(paint, kind) {
    paint.save();
    paint.beginPath();
    for (let t = 0; t < kind.T - 1; t++) paint.rect(side + size * (t + 1), top + size * t, size * (kind.S - t - 1), size);
    paint.clip();
    paint.globalAlpha = 0.35;
    paint.beginPath();
    const span = size * kind.S;
    for (let d = 0; d < 2 * span; d += 7) paint.moveTo(side + d, top), paint.lineTo(side + d - span, top + span);
    paint.stroke();
    paint.restore();
  }

  function writeNames(paint, kind, look) {
    Object.assign(paint, { font: `${Math.min(14, size)}px ${look.font}`, textBaseline: "middle", textAlign: "right" });
    // Each name with its position, which stands beside the cells: equal tokens are told apart, and a long one is cut before it.
    kind.queries.forEach((name, i) => paint.fillText(`${fits(paint, name, side - 8 - paint.measureText(` ${i}`).width)} ${i}`, side - 5, top + size * (i + 0.5)));
    paint.textAlign = "left";
    kind.keys.forEach((name, i) => {
      paint.save();
      paint.translate(side + size * (i + 0.5), top - 5);
      paint.rotate(-Math.PI / 2);
      paint.fillText(`${i} ${fits(paint, name, top - 8 - paint.measureText(`${i} `).width)}`, 0, 0);
      paint.restore();
    });
  }

  // Where the mouse is: in a cell, or at a name, which has no cell.
  function placeOf(event) {
    const place = canvas.getBoundingClientRect(); // large type and narrow pages scale it
    const scale = width / place.width;
    return [(event.clientY - place.top) * scale - top, (event.clientX - place.left) * scale - side].map((x) => Math.floor(x / size));
  }

  function under(event) {
    const { T, S } = app.kind();
    const [query, key] = placeOf(event);
    return query >= 0 && query < T && key >= 0 && key < S ? { query, key } : null;
  }

  // The whole names of what is under the mouse: beside the cells they may be cut.
  function tell([query, key]) {
    const { queries, keys, S } = app.kind();
    const weights = app.secret("weights") ? null : app.reading.weights(app.state);
    const [looks, seen] = [query in queries && named(queries[query], query), key in keys && named(keys[key], key)];
    const weight = weights && looks && seen ? `, ${percent(weights[query * S + key])}` : "";
    const said = [looks && `${looks} looks`, seen && `${seen} is looked at`].filter(Boolean).join(", ") + weight;
    if (canvas.title !== said) canvas.title = said;
  }

  canvas.addEventListener("mousemove", (event) => {
    tell(placeOf(event));
    if (under(event)) app.hover(under(event));
  });
  canvas.addEventListener("click", (event) => under(event) && app.press(under(event)));
  onKey(canvas, (event) => {
    if (isShortcut(event)) return;
    const [down, right] = arrowOf(event);
    const { T, S } = app.kind();
    const [query, key] = [app.state.query + down, app.state.key + right];
    if (down !== undefined) query >= 0 && query < T && key >= 0 && key < S && app.move({ query, key });
    else if (!app.pinKey(event)) return;
    taken(event);
  });

  return { node, draw, measure };
}
