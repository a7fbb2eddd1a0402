// What all experiments of the attention explorer share: a question to Python, and numbers in words.

// The answer to a question about what is shown now. One question at a time; the last one counts.
function measured({ model, heard, again }, line) {
  let [have, asked, id] = [null, null, null];
  const wait = patience(line, () => asked === null);
  heard.add((message, buffers) => {
    if (asked === null || message.id !== id) return;
    have = { ...message, key: asked, matrix: buffers?.[0] };
    asked = null;
    wait.stop();
    again();
  });
  return (question) => {
    const key = JSON.stringify(question);
    if (have?.key === key) return have;
    if (asked === null) {
      [asked, id] = [key, someName()];
      wait.send(model, { type: "experiment", id, ...question });
    }
    return null;
  };
}

const signed = (x, digits = 3) => (x > 0 ? "+" : "") + number(x, digits);
const change = ([before, after], unit) => `${number(before)} → ${number(after)} ${unit} (${signed(after - before)})`;
const nameOf = (layer, head) => `layer ${layer}, head ${head}`;
const COVERED = "Predict first, then reveal: this would tell it.";

function choice(label, options, choose) {
  const node = el("select", { "aria-label": label, onchange: () => choose(node.value) }, ...Object.entries(options).map(([value, text]) => el("option", { value, text })));
  keepKeys(node);
  return node;
}

function tableOf(caption, heads, rows) {
  const cells = (row) => row.map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, cell));
  const head = el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col", text }))));
  const table = el("table", { class: "lm-weights" }, el("caption", { text: caption }), head, el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells(row)))));
  return el("div", { class: "lm-scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
}

function folded(title, node) {
  return el("details", { class: "lm-details" }, el("summary", { text: title, tabindex: "0" }), node);
}
