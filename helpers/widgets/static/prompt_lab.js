// Prompt lab. Changes go to Python; the frame that answers comes twice: first what is quick, then with the table and the answers.
// One question at a time: what is changed meanwhile goes when the last answer is whole.
const PAUSE = 120; // milliseconds, so that a word is typed, or a slider drawn, in one go

// What is wished and not yet shown. `changed` is called when anything of it changes.
function wishes(model, line, changed) {
  const view = Math.random().toString(36).slice(2); // another view's answers are not ours
  let [waits, sent, asked, number, timer] = [{}, {}, null, 0, null];
  const wait = patience(line, () => asked === null);

  function ask() {
    if (asked !== null && !line.textContent) return; // an answer that is long overdue may never come
    [sent, waits, asked] = [{ ...sent, ...waits }, {}, `${view} ${++number}`];
    wait.send(model, { type: "set", changes: sent, asked });
  }
  function wish(changes, pause = 0) {
    Object.assign(waits, changes);
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
    changed();
  }
  function answered(frame) {
    if (frame.asked !== asked || !frame.done) return;
    [sent, asked] = [{}, null];
    wait.stop();
    if (Object.keys(waits).length) ask();
  }
  return { wish, answered, of: () => ({ ...sent, ...waits }), stop: () => (clearTimeout(timer), wait.stop()) };
}

function number(name, choose) {
  let last = 0;
  const input = el("input", { class: "lm-search lm-seed", type: "number", min: "0", max: "1000000", step: "1", "aria-label": name });
  input.addEventListener("input", () => /^\d{1,6}$/.test(input.value) && choose(Number(input.value)));
  keepKeys(input);
  input.addEventListener("blur", () => (input.value = last)); // what is no number gives way
  const show = (value) => {
    last = value;
    if (document.activeElement !== input) input.value = value;
  };
  return { input, show };
}

function chooser(name, names, choose) {
  const select = el("select", { "aria-label": name, class: "lm-choose", onchange: () => choose(Number(select.value)) }, ...names.map((each, i) => el("option", { value: String(i), text: `${i + 1}. ${each}` })));
  keepKeys(select);
  return select;
}

// One model: its name, a bar for each label, what it wrote.
function column() {
  const name = el("b", {});
  const bars = el("ul", { class: "lm-bars" });
  const notes = el("div", {});
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const wrote = el("div", { class: "lm-result", role: "status" });
  const node = el("section", { class: "lm-panel" }, name, bars, notes, error, wrote);

  function bar({ label, p, said, true: right, before }) {
    const track = el("span", { class: "lm-track", "aria-hidden": "true" }, el("span", { class: "lm-bar" }));
    track.firstChild.style.width = `${100 * p}%`;
    if (before !== undefined) track.append(el("span", { class: "lm-before" })), (track.lastChild.style.left = `${100 * before}%`);
    const sign = right ? [el("span", { class: "lm-true", role: "img", "aria-label": "the true answer:", text: "✓" }), " "] : [];
    return el("li", { class: `lm-answer${before === undefined ? "" : " lm-both"}` }, el("span", { class: "lm-token", title: label }, ...sign, label), track, el("span", { class: "lm-percent", text: said }));
  }

  function draw(shown, answer) {
    name.textContent = shown.name;
    bars.setAttribute("aria-label", `Probabilities of the answers, ${shown.name}`);
    bars.replaceChildren(...shown.bars.map(bar));
    notes.replaceChildren(...shown.notes.map((note) => el("div", { text: note })));
    if (error.textContent !== shown.error) error.textContent = shown.error;
    if (!answer) return wrote.replaceChildren();
    const sign = answer.right ? "✓" : "✗";
    wrote.replaceChildren("wrote ", el("code", { class: "lm-wrote", text: answer.text }), ` ${sign} ${answer.note}; the model gave it ${answer.said.replace(" %", "\u00a0%")}`);
  }
  return { node, draw };
}

// The table. One cell can be reached with Tab, the others from it with the arrow keys.
function probabilityTable(go) {
  const node = el("table", { class: "lm-weights lm-prompt-table" });
  let place = "0 0"; // the cell that Tab reaches
  let cells = new Map(); // row and column → button

  function draw(table, nShots) {
    const focused = node.contains(document.activeElement);
    cells = new Map();
    const several = table.rows[0].parts.length > 1;
    const head = el("tr", {}, el("th", { scope: "col", class: "lm-template", text: "template" }), ...(several ? [el("th", { scope: "col", text: "model" })] : []), ...table.columns.map((n) => el("th", { scope: "col", text: n === 1 ? "1 shot" : `${n} shots` })));
    const rows = table.rows.flatMap((row) =>
      row.parts.map((part, i) => {
        const first = i ? [] : [el("th", { scope: "rowgroup", rowspan: String(row.parts.length), class: "lm-template" }, `${row.current ? "▸ " : ""}${row.own ? "yours: " : ""}`, el("code", { text: row.name, title: row.name }))];
        const model = several ? [el("th", { scope: "row", text: part.name })] : [];
        return el("tr", i ? {} : { class: "lm-first" }, ...first, ...model, ...part.cells.map((cell, j) => td(row, part, cell, table.columns[j], nShots, several)));
      }),
    );
    node.replaceChildren(el("caption", { text: table.title }), el("thead", {}, head), el("tbody", {}, ...rows));
    [...node.tBodies[0].rows].forEach((tr, i) => [...tr.querySelectorAll("button")].forEach((button, j) => cells.set(`${i} ${j}`, button)));
    if (!cells.has(place)) place = "0 0";
    cells.get(place).tabIndex = 0;
    if (focused) cells.get(place).focus();
  }

  function td(row, part, cell, n, nShots, several) {
    const current = row.current && n === nShots;
    const name = `${row.name}, ${n} shots${several ? `, ${part.name}` : ""}: ${cell.said === "–" ? "cannot be read" : cell.said}`;
    const track = el("span", { class: "lm-track", "aria-hidden": "true" }, el("span", { class: "lm-bar" }));
    track.firstChild.style.width = `${100 * (cell.p ?? 0)}%`;
    const button = el("button", { type: "button", tabindex: "-1", class: "lm-cell-button", "aria-label": name, title: "Go to this prompt", onclick: () => go(row.text, n) }, el("span", { text: cell.said }), track);
    if (current) button.setAttribute("aria-current", "true");
    return el("td", {}, button);
  }

  node.addEventListener("focusin", (event) => {
    const found = [...cells].find(([, button]) => button === event.target);
    if (!found) return;
    cells.get(place).tabIndex = -1;
    place = found[0];
    event.target.tabIndex = 0;
  });
  node.addEventListener("keydown", (event) => {
    const step = arrowOf(event);
    if (!step.length) return;
    const [row, column] = place.split(" ").map(Number);
    cells.get(`${row + step[0]} ${column + step[1]}`)?.focus();
    taken(event);
  });
  return { node, draw };
}

function render({ model, el: host }) {
  const root = frameOf(host, "Prompt lab");
  root.classList.add("lm-wide");
  const setup = JSON.parse(model.get("setup"));
  const frame = () => JSON.parse(model.get("shown"));
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const wanted = wishes(model, waiting, () => drawControls(frame()));
  const set = (name, pause) => (value) => wanted.wish({ [name]: value }, pause);

  const templates = chooser("Template", setup.templates.map(({ name }) => name), (i) => wanted.wish({ template: setup.templates[i].text }));
  const own = el("option", { value: "-1", text: "your own" });
  templates.append(own);
  const box = el("textarea", { class: "lm-text", rows: "2", "aria-label": "Template, with fields in braces, the answer last", spellcheck: "false", oninput: () => wanted.wish({ template: box.value }, PAUSE) });
  keepKeys(box);
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const questions = chooser("Question", setup.questions, set("question"));
  const shots = slider("shots", 0, setup.most, 1, set("n_shots", PAUSE), (n) => `${n} of ${setup.most}`);
  const order = number("Order of the shots: 0 as given, or the seed of a shuffle", set("order", PAUSE));
  const current = (name) => wanted.of()[name] ?? frame().choice[name];
  const shuffle = el("button", { class: "lm-button", type: "button", text: "Shuffle", onclick: () => wanted.wish({ order: current("order") + 1 }) });
  const calibrate = el("button", { class: "lm-button", type: "button", text: "calibrate", title: "divide by what the labels get for a question without content", onclick: () => wanted.wish({ calibrate: !current("calibrate") }) });
  calibrate.hidden = !setup.calibrates;
  const temperature = slider("temperature", 0, 2, 0.05, set("temperature", PAUSE), (value) => (value ? value.toFixed(2) : "0: greedy"));
  const topP = slider("top-p", 0.05, 1, 0.05, set("top_p", PAUSE), (value) => (value === 1 ? "off" : value.toFixed(2)));
  const seed = number("Seed of the answer", set("seed", PAUSE));
  const sample = el("button", { class: "lm-button", type: "button", text: "Write an answer", onclick: () => wanted.wish({ sampled: true, seed: current("seed") + Number(current("sampled")) }) });
  const row = (...nodes) => el("div", { class: "lm-row" }, ...nodes);
  const legend = (text) => el("legend", { text });
  const promptControls = el("fieldset", { class: "lm-controls lm-line-up" }, legend("Prompt"), el("label", { class: "lm-row" }, el("span", { text: "question" }), questions), shots.node, row(el("span", { text: "order" }), order.input, shuffle), calibrate);
  const sampling = el("fieldset", { class: "lm-controls lm-line-up" }, legend("Answer"), temperature.node, topP.node, row(el("span", { text: "seed" }), seed.input, sample));

  const size = el("div", { class: "lm-status" });
  const prompt = el("div", { class: "lm-board lm-prompt", tabindex: "0", role: "region", "aria-label": "The prompt, as the models read it" });
  const tokens = el("div", { class: "lm-context lm-scroll", tabindex: "0", role: "region", "aria-label": "The prompt's tokens" });
  const summary = el("summary", { text: "Its tokens", "data-lm-suppress-shortcuts": "true" });
  const details = el("details", { class: "lm-details", ontoggle: () => drawTokens(frame()) }, summary, tokens);
  const columns = setup.models.map(column);
  const table = probabilityTable((template, n_shots) => wanted.wish({ template, n_shots }));
  const help = "✓ marks the true answer; ␣ is a blank, ↵ the end of a line; the answer comes where the dashed box is. Choose a cell of the table, by mouse or with the arrow keys and Enter, to go there.";
  root.append(el("label", { class: "lm-row" }, "template", templates), box, error, promptControls, size, prompt, details, sampling, el("div", { class: "lm-columns" }, ...columns.map((each) => each.node)), el("div", { class: "lm-scroll lm-table" }, table.node), el("div", { class: "lm-muted", text: help }), waiting);

  function drawControls({ choice, draft, done }) {
    const now = { ...choice, ...wanted.of() };
    const text = wanted.of().template ?? draft;
    if (box.value !== text) box.value = text;
    const known = setup.templates.findIndex((each) => each.text === text);
    own.hidden = known >= 0;
    templates.value = String(known);
    questions.value = String(now.question);
    shots.show(now.n_shots);
    order.show(now.order);
    calibrate.setAttribute("aria-pressed", String(now.calibrate));
    temperature.show(now.temperature);
    topP.show(now.top_p);
    seed.show(now.seed);
    root.classList.toggle("lm-stale", !done || Object.keys(wanted.of()).length > 0);
  }

  function drawTokens({ tokens: shown, forgotten }) {
    if (details.open) tokens.replaceChildren(...shown.map((token, i) => el("span", { class: `lm-chip${i < forgotten ? " lm-forgotten" : ""}`, text: token })));
  }

  const stop = follow(model, ["shown"], () => {
    const now = frame();
    wanted.answered(now);
    drawControls(now);
    if (error.textContent !== now.error) error.textContent = now.error;
    size.textContent = [now.size, now.unknown].filter(Boolean).join("; ");
    prompt.replaceChildren(now.prompt, el("span", { class: "lm-slot", role: "img", "aria-label": "here the answer comes" }));
    requestAnimationFrame(() => (prompt.scrollTop = prompt.scrollHeight)); // the question stands last
    drawTokens(now);
    now.models.forEach((each, i) => columns[i].draw(each, now.answers[i]));
    if (now.done) table.draw(now.table, now.choice.n_shots);
  });
  return () => (stop(), wanted.stop());
}

export default { render };
