// What Python sent, as numbers: half precision for all heads at once, single precision for the head that is looked at.

const bytesOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength); // aligned, and only its own
const singles = (view) => new Float32Array(bytesOf(view));

let halfTable = null; // all 65,536 half-precision numbers, for browsers without Float16Array

function halves(view) {
  if (typeof Float16Array !== "undefined") return new Float16Array(bytesOf(view));
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : (sign * 2 ** -14 * fraction) / 1024;
  });
  return Float32Array.from(new Uint16Array(bytesOf(view)), (bits) => halfTable[bits]);
}

// One reading of a text. `kinds` are its attentions: of a GPT one, of an encoder–decoder three.
function readingOf(frame, saved) {
  const kinds = frame.kinds.map((kind) => {
    const [t, s] = kind.shape;
    const all = halves(kind.weights);
    const small = (layer, head) => all.subarray((layer * kind.heads + head) * t * s, (layer * kind.heads + head + 1) * t * s);
    return { ...kind, T: kind.queries.length, S: kind.keys.length, small };
  });
  const exact = new Map(); // "kind/layer/head" → that head in single precision
  const every = frame.logits && singles(frame.logits); // scores of the full vocabulary at each position, the largest first
  const some = new Map(); // position → these, where they came one by one
  const nameOf = ({ kind, layer, head }) => `${kind}/${layer}/${head}`;
  const reading = {
    ...frame,
    predictions: typeof frame.predictions === "string" ? JSON.parse(frame.predictions) : frame.predictions,
    kinds,
    // The head's details where they are of this reading.
    take(detail) {
      if (!detail || detail.revision !== frame.revision) return;
      const parts = Object.fromEntries(["q", "k", "v", "weights"].map((name) => [name, singles(detail[name])]));
      exact.set(nameOf(detail), { width: detail.width, ...parts });
    },
    takeLogits: ({ position, logits }) => some.set(position, singles(logits)),
    logits: (t) => (every?.length ? every.subarray(t * frame.vocab_size, (t + 1) * frame.vocab_size) : some.get(t)),
    exact: (state) => exact.get(nameOf(state)),
    // Weights (T, S) of a head, row by row, as exact as they are here; undefined where only a small picture is.
    weights: (state) => exact.get(nameOf(state))?.weights ?? (kinds[state.kind].whole ? kinds[state.kind].small(state.layer, state.head) : undefined),
  };
  [frame.head, ...(saved?.heads ?? [])].forEach(reading.take);
  saved?.positions.forEach(reading.takeLogits);
  return reading;
}

// Where a token may look: how many keys from the first on.
const reach = (kind, query) => (kind.causal ? query + 1 : kind.S);

// The scores of one query, q·k/√D, for the keys that it may look at; each product is of the numbers that Python used.
function scoresOf({ q, k, width }, query, n) {
  return Array.from({ length: n }, (_, key) => dot(q, k, query, key, width) / Math.sqrt(width));
}

// What a query fetches: its weights times the values, summed.
function fetchedOf({ v, weights, width }, query, n, S) {
  const fetched = new Float64Array(width);
  for (let key = 0; key < n; key++) for (let i = 0; i < width; i++) fetched[i] += weights[query * S + key] * v[key * width + i];
  return fetched;
}

const norm = (vector) => Math.sqrt(vector.reduce((sum, each) => sum + each * each, 0));

function dot(q, k, query, key, width) {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += q[query * width + i] * k[key * width + i];
  return sum;
}

// Keys by weight, the largest first.
function strongest(row, n) {
  const order = [...row.keys()].slice(0, n);
  return order.sort((a, b) => row[b] - row[a] || a - b);
}

// As Python prints them: one decimal, never zero what is not; a true minus.
const percent = (p) => (p > 0 && p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);
const number = (x, digits = 3) => x.toFixed(digits).replace("-", "−");
const named = (token, position) => `“${token}” (${position})`;

// Mark one of a list's children as the chosen one.
function mark(list, chosen) {
  const now = list.children[chosen];
  if (list.marked === now) return;
  for (const node of [list.marked, now]) {
    node?.classList.toggle("lm-current", node === now);
    node?.setAttribute("aria-selected", String(node === now));
  }
  list.marked = now;
}

// The colours of weights 0 … 1: the root of a weight sets the shade, so that small ones can be seen.
function shadesOf({ rgb, dark }) {
  const stops = dark ? [rgb, [86, 180, 233], [255, 255, 255]] : [rgb, [0, 114, 178], [0, 38, 61]];
  return Array.from({ length: 256 }, (_, i) => {
    const [at, part] = [i < 128 ? 0 : 1, (i % 128) / (i < 128 ? 128 : 127)];
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(stops[at][c] + (stops[at + 1][c] - stops[at][c]) * part));
    return r | (g << 8) | (b << 16) | (255 << 24);
  });
}

// A matrix of weights on a canvas, a pixel each; the page stretches it.
function drawWeights(canvas, weights, rows, columns, shades) {
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = shades[Math.round(255 * Math.sqrt(weights[i]))];
  context.putImageData(image, 0, 0);
}
