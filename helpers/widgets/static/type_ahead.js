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
  const bars = barList("Likeliest next tokens; number keys choose", append, (key) => key === "ArrowUp" && box.focus());
  const rest = el("div", { class: "lm-muted lm-rest" });
  const help = el("div", { class: "lm-muted", text: "Click a token to append it; or press ↓ at the end of your text, then its number, or ↑ ↓ and Enter. Bars are drawn against the longest." });
  root.append(el("label", { class: "lm-row" }, "Order ", slider, orderText), box, context, note, error, bars.list, rest, help, waiting);

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
    box.value += joined(box.value, piece, join);
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
      bars.focus(0);
    }
  });
  slider.addEventListener("input", () => {
    model.set("order", model.get("frame").orders[Number(slider.value)]);
    model.save_changes();
    wait.start();
  });

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
    bars.draw(frame.suggestions);
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
