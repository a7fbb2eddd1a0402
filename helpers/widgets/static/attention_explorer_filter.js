// Filters: which weights of each query are shown. The others are hidden, never shared out: what is shown keeps its size, and what
// is hidden is said.

const UNFILTERED = { by: "none", value: 1 };
const share = (value) => `${Math.round(100 * value)} %`;
const FILTERS = {
  none: { name: "all weights" },
  threshold: { name: "weights of at least", range: [0.01, 0.5, 0.01], first: 0.05, say: share },
  top_k: { name: "the strongest of each token", range: [1, 20, 1], first: 3, say: String },
  mass: { name: "the fewest that hold", range: [0.05, 1, 0.05], first: 0.9, say: share },
};

// Which of a query's first n weights are shown: 0 or 1 for each key.
function shownOf(row, n, { by, value }) {
  const shown = new Uint8Array(row.length);
  if (by === "none") return shown.fill(1, 0, n);
  if (by === "threshold") return shown.map((_, i) => (i < n && row[i] >= value ? 1 : 0));
  let held = 0;
  for (const [rank, i] of strongest(row, n).entries()) {
    if (by === "top_k" ? rank >= value : held >= value) break;
    shown[i] = 1;
    held += row[i];
  }
  return shown;
}

// The same for all queries of a head, (T, S) row by row.
function allShown(weights, kind, filter) {
  const shown = new Uint8Array(kind.T * kind.S);
  for (let t = 0; t < kind.T; t++) shown.set(shownOf(weights.subarray(t * kind.S, (t + 1) * kind.S), reach(kind, t), filter), t * kind.S);
  return shown;
}

const hiddenMass = (weights, shown) => weights.reduce((sum, each, i) => (shown[i] ? sum : sum + each), 0);

// The same once for each head, reading and filter, with the mean mass that a token's hidden weights hold; null: all are shown.
function filterOnce(app) {
  let [made, madeFor] = [null, ""];
  return (weights) => {
    const { kind, layer, head, filter } = app.state;
    if (!weights || filter.by === "none") return null;
    const now = JSON.stringify([app.reading.revision, kind, layer, head, filter, Boolean(app.reading.exact(app.state))]);
    if (now === madeFor) return made;
    [made, madeFor] = [allShown(weights, app.kind(), filter), now];
    made.hiddenMass = hiddenMass(weights, made) / app.kind().T;
    return made;
  };
}

function weightFilter(app) {
  const choice = el("select", { "aria-label": "Which weights are shown", onchange: () => app.set({ filter: { by: choice.value, value: FILTERS[choice.value].first ?? 1 } }) });
  choice.append(...Object.entries(FILTERS).map(([value, { name }]) => el("option", { value, text: name })));
  keepKeys(choice);
  const value = slider("limit", 0, 1, 0.01, (value) => app.set({ filter: { ...app.state.filter, value } }), (value) => FILTERS[app.state.filter.by].say?.(value) ?? "");
  const told = el("div", { class: "lm-note lm-small", role: "status" });
  const node = el("fieldset", { class: "lm-controls lm-narrow" }, el("legend", { text: "Shown in lines and matrix" }), choice, value.node, told);

  function draw({ state, row, weights, shown, kind }) {
    const { by } = state.filter;
    if (choice.value !== by) choice.value = by;
    value.node.hidden = by === "none";
    if (by !== "none") {
      value.limit(...FILTERS[by].range);
      value.show(state.filter.value);
    }
    if (by === "none" || !row) return put(told, "");
    const n = reach(kind, state.query);
    const mine = shown.subarray(state.query * kind.S, (state.query + 1) * kind.S);
    const hidden = n - sumOf(mine, kind.S);
    put(told, `Hidden: ${hidden} of the ${n} weights of ${named(kind.queries[state.query], state.query)}, together ${percent(hiddenMass(row, mine))} of its attention; of all tokens ${percent(shown.hiddenMass)}. What is shown keeps its size.`);
  }

  return { node, draw };
}
