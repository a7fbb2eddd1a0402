// One head: the tokens that look on the left, those that are looked at on the right, and lines from the chosen one to its strongest keys.

const LINES = 10; // at most, and none below 1 %
const svgNode = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);

function tokenColumns(app) {
  const id = `lm-looks-${Math.random().toString(36).slice(2)}`;
  const list = (label) => el("div", { class: "lm-column", tabindex: "0", role: "listbox", "aria-label": label });
  const left = list("Tokens that look, the queries; up and down choose one, Enter pins it");
  const right = list("Tokens that are looked at, the keys; up and down choose one, Enter pins the pair");
  const lines = svgNode("svg");
  lines.setAttribute("class", "lm-lines");
  lines.setAttribute("aria-hidden", "true");
  const box = el("div", { class: "lm-look" }, left, lines, right);
  const title = el("b", {});
  const heading = el("div", { class: "lm-look-heading lm-small" }, el("span", { text: "looks (query)" }), el("span", { text: "is looked at (key)" }));
  const node = el("section", { class: "lm-panel lm-grow" }, title, heading, box);
  let height = 20; // of a row
  let built = null; // the tokens that the rows are for

  function build(kind) {
    height = kind.T > 24 ? 18 : 22;
    box.style.setProperty("--row", `${height}px`);
    const row = (name, i, ...more) => el("div", { class: "lm-look-row", role: "option", "data-i": i }, el("span", { class: "lm-small lm-muted", text: i }), el("bdi", { class: "lm-token", text: name, title: name }), ...more);
    left.replaceChildren(...kind.queries.map((name, i) => row(name, i)));
    right.replaceChildren(...kind.keys.map((name, i) => row(name, i, el("span", { class: "lm-percent" }))));
    for (const [at, rows] of [left, right].entries()) [...rows.children].forEach((each, i) => (each.id = `${id}-${at}-${i}`));
    lines.setAttribute("height", height * Math.max(kind.T, kind.S));
  }

  const at = (event) => Number(event.target.closest?.("[data-i]")?.dataset.i ?? -1);
  for (const [rows, cell] of [[left, (i) => ({ query: i })], [right, (i) => ({ key: i })]]) {
    rows.addEventListener("mouseover", (event) => at(event) >= 0 && app.hover(cell(at(event))));
    rows.addEventListener("click", (event) => at(event) >= 0 && app.press(cell(at(event))));
    rows.addEventListener("keydown", (event) => {
      const { query, key } = app.state;
      const [mine, n] = rows === left ? [query, left.childElementCount] : [key, right.childElementCount];
      const to = { ArrowUp: mine - 1, ArrowDown: mine + 1, Home: 0, End: n - 1 }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (to !== undefined) to >= 0 && to < n && app.move(cell(to));
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") (event.key === "ArrowLeft" ? left : right).focus();
      else if (!app.pinKey(event)) return;
      event.preventDefault();
      event.stopPropagation();
      inSight((rows === left ? left : right).children[rows === left ? app.state.query : app.state.key]);
    });
  }

  function inSight(row) {
    if (!row) return;
    if (row.offsetTop < box.scrollTop) box.scrollTop = row.offsetTop;
    else if (row.offsetTop + height > box.scrollTop + box.clientHeight) box.scrollTop = row.offsetTop + height - box.clientHeight;
  }

  function draw({ reading, state, row }, what) {
    const kind = reading.kinds[state.kind];
    const tokens = `${state.kind}\n${kind.queries.join("\n")}\n\n${kind.keys.join("\n")}`;
    if (tokens !== built) build(kind);
    title.textContent = `Layer ${state.layer}, head ${state.head}: where “${kind.queries[state.query]}” looks`;
    const n = reach(kind, state.query);
    [...left.children].forEach((each, i) => {
      each.classList.toggle("lm-current", i === state.query);
      each.setAttribute("aria-selected", String(i === state.query));
    });
    [...right.children].forEach((each, i) => {
      each.classList.toggle("lm-current", i === state.key);
      each.classList.toggle("lm-ahead", i >= n);
      each.setAttribute("aria-selected", String(i === state.key));
      each.lastChild.textContent = i >= n ? "masked" : row ? percent(row[i]) : "…";
      each.style.setProperty("--weight", row && i < n ? row[i] : 0);
    });
    left.setAttribute("aria-activedescendant", `${id}-0-${state.query}`);
    right.setAttribute("aria-activedescendant", `${id}-1-${state.key}`);
    box.classList.toggle("lm-pinned", state.pinned);
    drawLines(row, n, state);
    if (tokens !== built || (what.reading && state.pinned)) inSight(left.children[state.query]);
    built = tokens;
  }

  function drawLines(row, n, { query, key }) {
    const shown = row ? strongest(row, n).slice(0, LINES).filter((i) => row[i] >= 0.01) : [];
    const middle = (i) => (i + 0.5) * height;
    while (lines.childElementCount < shown.length) lines.append(svgNode("path"));
    while (lines.childElementCount > shown.length) lines.lastElementChild.remove();
    shown.forEach((i, place) => {
      const line = lines.children[place];
      line.setAttribute("d", `M0,${middle(query)} C60,${middle(query)} 60,${middle(i)} 120,${middle(i)}`);
      line.setAttribute("stroke-width", 0.8 + 9 * row[i]);
      line.setAttribute("class", i === key ? "lm-line lm-line-key" : "lm-line");
    });
  }

  return { node, draw };
}
