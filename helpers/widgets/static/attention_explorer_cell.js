// The arithmetic of one cell: q·k, over √D, softmax, times v; and the chosen token's weights as a table.

function cellArithmetic() {
  const title = el("b", {});
  const vectors = el("tbody", {});
  const steps = el("ol", { class: "lm-steps" });
  const table = el("table", { class: "lm-vectors" }, vectors);
  const scroller = el("div", { class: "lm-scroll", tabindex: "0", role: "region", "aria-label": "The query, the key, the value and their products" }, table);
  const node = panelOf(title, scroller, steps);

  function line(row, name, values) {
    while (vectors.childElementCount <= row) vectors.append(el("tr", {}, el("th", { scope: "row" })));
    const cells = vectors.children[row];
    while (cells.childElementCount <= values.length) cells.append(el("td", {}));
    while (cells.childElementCount > values.length + 1) cells.lastChild.remove();
    [name, ...values.map((value) => number(value, 2))].forEach((text, i) => put(cells.children[i], text));
  }

  function draw({ reading, state, readOnly, hidden }) {
    node.hidden = hidden;
    if (hidden) return vectors.replaceChildren(), steps.replaceChildren();
    const kind = reading.kinds[state.kind];
    const { query, key } = state;
    const [asks, answers] = [named(kind.queries[query], query), named(kind.keys[key], key)];
    const head = reading.exact(state);
    title.textContent = `How much does ${asks} look at ${answers}, and what does it fetch there?`;
    scroller.hidden = !head;
    if (!head) return steps.replaceChildren(el("li", { text: readOnly ? "This page does not hold this head's queries, keys and values." : "Python is computing this head …" }));
    const { q, k, v, width } = head;
    const n = reach(kind, query);
    const weight = head.weights[query * kind.S + key];
    const fetched = fetchedOf(head, query, n, kind.S);
    const at = (numbers, row) => [...numbers.subarray(row * width, (row + 1) * width)];
    const [asked, answered, given] = [at(q, query), at(k, key), at(v, key)];
    line(0, `q, query of ${asks}`, asked);
    line(1, `k, key of ${answers}`, answered);
    line(2, "q × k", asked.map((a, i) => a * answered[i]));
    line(3, `v, value of ${answers}`, given);
    line(4, "weight × v", given.map((each) => weight * each));
    line(5, "fetched: the sum of these over all tokens", [...fetched]);
    const product = dot(q, k, query, key, width);
    const score = product / Math.sqrt(width);
    const said = [`q · k, the sum of the ${width} products, is ${number(product)}.`, `Score: q · k / √D = ${number(product)} / √${width} = ${number(score)}.`];
    if (key >= n) said.push(`${answers} comes after ${asks}: the mask sets the score to −∞, and e^−∞ = 0, so the weight is 0.`);
    else {
      const scores = scoresOf(head, query, n);
      const shift = Math.max(...scores) > 30 ? Math.max(...scores) : 0; // e^30 is long to read, e^710 is no number
      const powers = scores.map((each) => Math.exp(each - shift));
      const total = powers.reduce((a, b) => a + b, 0);
      const less = shift ? `, after ${number(shift)}, the largest score, was taken from all of them (which changes no weight)` : "";
      said.push(`Softmax over the ${n} token${n > 1 ? "s" : ""} that it may look at${less}: e^${number(score - shift)} / sum = ${powers[key].toPrecision(4)} / ${total.toPrecision(4)} = ${(powers[key] / total).toFixed(4)}, so ${percent(powers[key] / total)}.`);
    }
    const length = norm(given);
    said.push(`Times v: ${weight.toFixed(4)} × ‖v‖ = ${weight.toFixed(4)} × ${number(length)} = ${number(weight * length)}, the length of what ${answers} gives. All ${n} together fetch a vector of length ${number(norm(fetched))}, the head's output; lengths do not add up, since vectors that point apart cancel.`);
    while (steps.childElementCount < said.length) steps.append(el("li", {}));
    while (steps.childElementCount > said.length) steps.lastChild.remove();
    said.forEach((text, i) => put(steps.children[i], text));
  }

  return { node, draw, later: true };
}

function weightTable() {
  const caption = el("caption", {});
  const rows = el("tbody", {});
  const head = el("thead", {}, el("tr", {}, ...["position", "token", "score", "weight", "weight × ‖v‖"].map((text) => el("th", { scope: "col", text }))));
  const table = el("table", { class: "lm-weights" }, caption, head, rows);
  const summary = el("summary", { text: "The same as a table", tabindex: "0" });
  const node = el("details", { class: "lm-details" }, summary, el("div", { class: "lm-scroll", tabindex: "0", role: "region", "aria-label": "Weights as a table" }, table));
  let latest = null;
  node.addEventListener("toggle", () => latest && draw(latest));

  function draw(app) {
    latest = app;
    node.hidden = app.hidden;
    if (app.hidden) rows.replaceChildren();
    if (app.hidden || !node.open) return;
    const { reading, state, row } = app;
    const kind = reading.kinds[state.kind];
    const exact = reading.exact(state);
    const n = reach(kind, state.query);
    const scores = exact ? scoresOf(exact, state.query, n) : [];
    caption.textContent = `Layer ${state.layer}, head ${state.head}: what ${named(kind.queries[state.query], state.query)} looks at`;
    const given = (i) => (exact && row ? number((i < n ? row[i] : 0) * norm(exact.v.subarray(i * exact.width, (i + 1) * exact.width))) : "…");
    rows.replaceChildren(...kind.keys.map((name, i) => el("tr", {}, el("td", { text: i }), el("td", {}, el("bdi", { text: name })), el("td", { text: i >= n ? "−∞" : exact ? number(scores[i]) : "…" }), el("td", { text: i >= n ? "0.0000" : row ? row[i].toFixed(4) : "…" }), el("td", { text: given(i) }))));
  }

  return { node, draw, later: true };
}
