// Shared by all widgets of the course. Text from outside goes through `textContent` only, never through HTML.

// What can have the focus keeps its keys: the notebook's shortcuts match on the focused element itself, before its parents are
// looked at, so each one needs the attribute.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (["button", "input", "select", "textarea"].includes(tag) || "tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// The root of a widget.
function frameOf(el_, label) {
  const root = el("div", { class: "lm-widget", role: "group", "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  el_.append(root);
  return root;
}

// Run `redraw` now and at each change of `names`, until the view goes.
function follow(model, names, redraw) {
  const events = names.map((name) => `change:${name}`);
  for (const event of events) model.on(event, redraw);
  redraw();
  return () => events.forEach((event) => model.off(event, redraw));
}

// Says so when the kernel has not answered for a while: it may be busy with a cell, or gone; and at once where it is known to be gone.
function patience(line, answered) {
  let timer = null;
  const wait = {
    send(model, message) {
      wait.start();
      try {
        model.send(message);
      } catch {
        clearTimeout(timer);
        line.textContent = "The kernel has stopped. Run the cell again.";
      }
    },
    start() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!answered()) line.textContent = "The kernel is busy or has stopped; your input waits for it. If it has stopped, run the cell again.";
      }, 2000);
    },
    stop() {
      clearTimeout(timer);
      line.textContent = "";
    },
  };
  return wait;
}
