// The arithmetic of one weight: q·k, over √D, softmax; and the chosen token's weights as a table.

function cellArithmetic() {
  const title = el("b", {});
  const vectors = el("tbody", {});
  const steps = el("ol", { class: "lm-steps" });
  const table = el("table", { class: "lm-vectors" }, vectors);
  const scroller = el("div", { class: "lm-scroll", tabindex: "0", role: "region", "aria-label": "The query, the key and their products" }, table);
  const node = el("section", { class: "lm-panel" }, title, scroller, steps);

  function draw({ reading, state }) {
    const kind = reading.kinds[state.kind];
    const { query, key } = state;
    const [asks, answers] = [named(kind.queries[query], query), named(kind.keys[key], key)];
    const head = reading.exact(state);
    title.textContent = `How much does ${asks} look at ${answers}?`;
    scroller.hidden = !head;
    if (!head) return steps.replaceChildren(el("li", { text: "Python is computing this head …" }));
    const { q, k, width } = head;
    const each = Array.from({ length: width }, (_, i) => [q[query * width + i], k[key * width + i]]);
    if (vectors.lastChild?.childElementCount !== width + 1) vectors.replaceChildren(...[1, 2, 3].map(() => el("tr", {}, el("th", { scope: "row" }), ...each.map(() => el("td", {})))));
    const line = (row, name, values) => [name, ...values.map((value) => number(value, 2))].forEach((text, i) => put(vectors.children[row].children[i], text));
    line(0, `q, query of ${asks}`, each.map(([a]) => a));
    line(1, `k, key of ${answers}`, each.map(([, b]) => b));
    line(2, "q × k", each.map(([a, b]) => a * b));
    const product = dot(q, k, query, key, width);
    const score = product / Math.sqrt(width);
    const said = [`q · k, the sum of the ${width} products, is ${number(product)}.`, `Score: q · k / √D = ${number(product)} / √${width} = ${number(score)}.`];
    const n = reach(kind, query);
    if (key >= n) said.push(`${answers} comes after ${asks}: the mask sets the score to −∞, and e^−∞ = 0, so the weight is 0.`);
    else {
      const scores = scoresOf(head, query, n);
      const shift = Math.max(...scores) > 30 ? Math.max(...scores) : 0; // e^30 is long to read, e^710 is no number
      const powers = scores.map((each) => Math.exp(each - shift));
      const total = powers.reduce((a, b) => a + b, 0);
      const less = shift ? `, after ${number(shift)}, the largest score, was taken from all of them (which changes no weight)` : "";
      said.push(`Softmax over the ${n} token${n > 1 ? "s" : ""} that it may look at${less}: e^${number(score - shift)} / sum = ${powers[key].toPrecision(4)} / ${total.toPrecision(4)} = ${(powers[key] / total).toFixed(4)}, so ${percent(powers[key] / total)}.`);
    }
    steps.replaceChildren(...said.map((text) => el("li", { text })));
  }

  return { node, draw };
}

function weightTable() {
  const caption = el("caption", {});
  const rows = el("tbody", {});
  const head = el("thead", {}, el("tr", {}, ...["position", "token", "score", "weight"].map((text) => el("th", { scope: "col", text }))));
  const table = el("table", { class: "lm-weights" }, caption, head, rows);
  const summary = el("summary", { text: "The same as a table", tabindex: "0" });
  const node = el("details", { class: "lm-details" }, summary, el("div", { class: "lm-scroll", tabindex: "0", role: "region", "aria-label": "Weights as a table" }, table));
  let latest = null;
  node.addEventListener("toggle", () => latest && draw(latest));

  function draw(app) {
    latest = app;
    if (!node.open) return;
    const { reading, state, row } = app;
    const kind = reading.kinds[state.kind];
    const exact = reading.exact(state);
    const n = reach(kind, state.query);
    const scores = exact ? scoresOf(exact, state.query, n) : [];
    caption.textContent = `Layer ${state.layer}, head ${state.head}: what ${named(kind.queries[state.query], state.query)} looks at`;
    rows.replaceChildren(...kind.keys.map((name, i) => el("tr", {}, el("td", { text: i }), el("td", {}, el("bdi", { text: name })), el("td", { text: i >= n ? "−∞" : exact ? number(scores[i]) : "…" }), el("td", { text: i >= n ? "0.0000" : row ? row[i].toFixed(4) : "…" }))));
  }

  return { node, draw };
}
