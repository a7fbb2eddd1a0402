// What the panels' controls share.

const someName = () => `lm-${Math.random().toString(36).slice(2)}`; // that nothing else has

function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

const onKey = (node, act) => node.addEventListener("keydown", act);
const keepKeys = (node) => onKey(node, (event) => event.stopPropagation());
const div = (name, ...nodes) => el("div", { class: name }, ...nodes);
const panelOf = (...nodes) => el("section", { class: "lm-panel" }, ...nodes);
const isShortcut = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey; // the page's own, or the notebook's
const arrowOf = (event) => (isShortcut(event) ? [] : ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [])); // rows down, columns right

function taken(event) {
  event.preventDefault();
  event.stopPropagation();
}

// Write to the page only what is new there: most of it stays while one moves about.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A labelled range whose value is also said in words.
function slider(name, min, max, step, choose, say) {
  const said = el("output", { class: "lm-said" });
  const input = el("input", { type: "range", min, max, step, "aria-label": name, oninput: () => choose(Number(input.value)) });
  keepKeys(input);
  const node = el("label", { class: "lm-slider" }, el("span", { text: name }), input, said);

  function show(value) {
    if (Number(input.value) !== value) input.value = value;
    put(said, say(value));
    input.setAttribute("aria-valuetext", say(value));
  }
  function limit(min, max, step) {
    for (const [name, value] of Object.entries({ min, max, step })) if (Number(input[name]) !== value) input[name] = value;
  }
  return { node, show, limit };
}
