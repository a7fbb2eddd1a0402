// Sampling settings on a position's logits: what `helpers.sampling.shape_log_probs` does, in the same order. `logits` are those of
// the full vocabulary, the largest first, so that what is kept is always a beginning.

const UNSHAPED = { temperature: 1, top_k: null, top_p: null, min_p: null };
const isShaping = (settings) => Object.entries(UNSHAPED).some(([name, plain]) => settings[name] !== plain);

// The share of each place before and after, how many places are kept, and what they held before. Temperature 0 is greedy.
function shaped(logits, { temperature, top_k, top_p, min_p }) {
  const before = softmaxOf(logits, 1);
  const p = temperature ? softmaxOf(logits, temperature) : before.map((_, i) => Number(i === 0));
  let kept = temperature ? Math.min(top_k ?? p.length, p.length) : 1;
  if (top_p !== null) {
    const enough = top_p * sumOf(p, kept);
    let [n, held] = [0, 0];
    while (n < kept && held < enough) held += p[n++]; // a token stays while those before it do not yet hold top_p
    kept = n;
  }
  while (min_p !== null && kept > 1 && p[kept - 1] < min_p * p[0]) kept--;
  const total = sumOf(p, kept);
  return { before, after: p.map((each, i) => (i < kept ? each / total : 0)), kept, held: sumOf(before, kept) };
}

function softmaxOf(logits, temperature) {
  const powers = Float64Array.from(logits, (each) => Math.exp((each - logits[0]) / temperature));
  const total = sumOf(powers, powers.length);
  return powers.map((each) => each / total);
}

function sumOf(numbers, n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += numbers[i];
  return sum;
}

// The controls. Top-k off is its far end.
function samplingControls(app) {
  const set = (name, value) => app.set({ sampling: { ...app.state.sampling, [name]: value } });
  const off = (value, plain, said = String(value)) => (value === plain ? "off" : said);
  const controls = {
    temperature: slider("temperature", 0, 2, 0.05, (value) => set("temperature", value), (value) => (value ? value.toFixed(2) : "0: greedy")),
    top_k: slider("top-k", 1, 51, 1, (value) => set("top_k", value > 50 ? null : value), (value) => off(value, 51)),
    top_p: slider("top-p", 0.05, 1, 0.05, (value) => set("top_p", value === 1 ? null : value), (value) => off(value, 1, value.toFixed(2))),
    min_p: slider("min-p", 0, 1, 0.01, (value) => set("min_p", value || null), (value) => off(value, 0, value.toFixed(2))),
  };
  const plain = { temperature: 1, top_k: 51, top_p: 1, min_p: 0 };
  const reset = el("button", { class: "lm-button", type: "button", text: "as the model says", onclick: () => app.set({ sampling: { ...UNSHAPED } }) });
  const node = el("fieldset", { class: "lm-controls" }, el("legend", { text: "Sampling" }), ...Object.values(controls).map((each) => each.node), reset);

  function draw({ state }) {
    for (const [name, control] of Object.entries(controls)) control.show(state.sampling[name] ?? plain[name]);
    reset.setAttribute("aria-disabled", String(!isShaping(state.sampling)));
  }
  return { node, draw };
}
