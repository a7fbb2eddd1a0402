// Type-ahead. Text and order go to Python as they change; each `frame` that comes back says which text and order it belongs to.

const DEBOUNCE = 60; // milliseconds

function render({ model, el: host }) {
  const root = frameOf(host, "Type-ahead");
  const box = el("textarea", { class: "lm-text", rows: "2", "aria-label": "Your text", spellcheck: "false" });
  const slider = el("input", { type: "range", min: "0", step: "1", "aria-label": "Order" });
  const orderText = el("output", { class: "lm-order" });
  const context = el("div", { class: "lm-context", "aria-label": "The end of your text, in tokens" });
  const note = el("div", { class: "lm-note" });
  const error = el("div", { class: "lm-waiting", role: "alert" });
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const list = el("ol", { class: "lm-bars", "aria-label": "Likeliest next tokens; number keys choose" });
  const rest = el("div", { class: "lm-muted lm-rest" });
  const help = el("div", { class: "lm-muted", text: "Click a token to append it; or press ↓ at the end of your text, then its number, or ↑ ↓ and Enter. Bars are drawn against the longest." });
  root.append(el("label", { class: "lm-row" }, "Order ", slider, orderText), box, context, note, error, list, rest, help, waiting);

  const fresh = () => model.get("frame").text === box.value && model.get("frame").order === model.get("order");
  const wait = patience(waiting, fresh);
  let timer = null;

  function sendText() {
    clearTimeout(timer);
    model.set("text", box.value);
    model.save_changes();
    wait.start();
  }

  function append(index) {
    const { suggestions, join, text } = model.get("frame");
    const piece = suggestions[index]?.append;
    if (!piece || text !== box.value) return; // nothing to write, or the list belongs to an older text
    const between = join && piece !== "\n" && box.value && !/\s$/.test(box.value) ? join : "";
    box.value += between + piece + (piece === "\n" ? "" : join);
    sendText();
  }

  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(sendText, DEBOUNCE);
  });
  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "ArrowDown" && box.selectionEnd === box.value.length) {
      event.preventDefault();
      list.querySelector("button")?.focus();
    }
  });
  slider.addEventListener("input", () => {
    model.set("order", model.get("frame").orders[Number(slider.value)]);
    model.save_changes();
    wait.start();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where it is
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(event.target);
    if (/^[0-9]$/.test(event.key)) append((Number(event.key) + 9) % 10); // 1 … 9, then 0 for the tenth
    else if (event.key === "ArrowDown") buttons[at + 1]?.focus();
    else if (event.key === "ArrowUp") (buttons[at - 1] ?? box).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function row(index) {
    const number = el("span", { class: "lm-number", text: String((index + 1) % 10), "aria-hidden": "true" });
    const parts = [number, el("span", { class: "lm-token" }), el("span", { class: "lm-track" }, el("span", { class: "lm-bar" })), el("span", { class: "lm-percent" })];
    return el("li", {}, el("button", { class: "lm-suggestion", type: "button", onclick: () => append(index) }, ...parts));
  }

  function drawList(suggestions) {
    while (list.childElementCount < suggestions.length) list.append(row(list.childElementCount)); // reused: the focus stays
    while (list.childElementCount > suggestions.length) list.lastElementChild.remove();
    const longest = Math.max(...suggestions.map((each) => each.probability), 1e-300);
    suggestions.forEach(({ shown, percent, probability, append: piece }, index) => {
      const button = list.children[index].firstElementChild;
      button.querySelector(".lm-token").textContent = shown;
      button.querySelector(".lm-percent").textContent = percent;
      button.querySelector(".lm-bar").style.width = `${(100 * probability) / longest}%`;
      button.setAttribute("aria-label", `${shown}, ${percent}`);
      button.title = shown; // long tokens are cut
      button.setAttribute("aria-disabled", String(!piece));
    });
  }

  function draw() {
    const frame = model.get("frame");
    slider.max = String(frame.orders.length - 1);
    slider.value = String(frame.orders.indexOf(model.get("order")));
    orderText.textContent = String(model.get("order"));
    slider.setAttribute("aria-valuetext", `order ${model.get("order")}`);
    root.classList.toggle("lm-stale", !fresh());
    if (!fresh()) return; // an answer to an older text; the next one is on its way
    wait.stop();
    context.replaceChildren(...frame.context.map(([token, kind]) => el("span", { class: ["lm-chip", "lm-chip lm-seen", "lm-chip lm-seen lm-used"][kind], text: token })));
    note.textContent = frame.note;
    error.textContent = frame.error;
    drawList(frame.suggestions);
    rest.textContent = frame.rest;
  }

  function drawText() {
    if (box.value !== model.get("text")) box.value = model.get("text");
    draw();
  }
  const stops = [follow(model, ["text"], drawText), follow(model, ["frame", "order"], draw)];
  return () => (clearTimeout(timer), stops.forEach((stop) => stop()));
}

export default { render };
