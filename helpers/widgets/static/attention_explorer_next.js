// The next tokens at the position that looks: the model's probabilities over the full vocabulary, and beside them what the sampling
// settings make of these.

function nextTokens(app, text) {
  const title = el("b", {});
  const actual = div("lm-note");
  const rest = div("lm-muted lm-rest");
  const told = el("div", { class: "lm-note", role: "status" });
  const bars = barList("", append, (key) => key === "ArrowUp" && text.box.focus());
  const sampling = samplingControls(app);
  const node = el("section", { class: "lm-panel lm-grow" }, title, actual, bars.list, rest, told, sampling.node);
  let drawn = ""; // what the bars are for

  function append(index) {
    const piece = app.reading.predictions[app.state.query]?.rows[index]?.[3];
    if (piece && text.fresh()) text.set(text.box.value + joined(text.box.value, piece, app.reading.join));
  }

  function draw({ reading, state, secret }) {
    const kind = reading.kinds[state.kind];
    node.hidden = !kind.predicts;
    const logits = isShaping(state.sampling) && kind.predicts ? reading.logits(state.query) : null;
    const hidden = secret("next");
    const now = `${hidden} ${reading.revision} ${state.kind} ${state.query} ${JSON.stringify(state.sampling)} ${Boolean(logits)}`;
    if (!kind.predicts || now === drawn) return;
    drawn = now;
    const { rows, rest: others, actual: said, place } = reading.predictions[state.query];
    const made = logits && shaped(logits, state.sampling);
    const where = named(kind.queries[state.query], state.query);
    title.textContent = reading.masked ? `What belongs at ${where}?` : `What comes after ${where}?`;
    sampling.draw({ state });
    if (hidden) return cover();
    actual.textContent = said && `${reading.masked ? "Here stands" : "In the text comes"} ${said}${made ? `; with these settings ${percent(made.after[place])}` : ""}.`;
    bars.list.setAttribute("aria-label", `${title.textContent} The ${rows.length} likeliest tokens`);
    const shown = rows.map(([token, said, probability, append], i) => ({
      shown: token,
      percent: made ? `${said} → ${i < made.kept ? percent(made.after[i]) : "cut"}` : said,
      probability: made ? made.after[i] : probability,
      append,
    }));
    bars.draw(shown, made ? Math.max(made.before[0], made.after[0]) : undefined);
    bars.list.classList.toggle("lm-two", Boolean(made));
    [...bars.list.children].forEach((row, i) => markBefore(row, made, i));
    rest.textContent = made ? restAfter(made, rows.length) : others;
    told.textContent = made ? tell(made) : isShaping(state.sampling) ? (app.readOnly ? "This page does not hold this position's scores." : "Python is sending this position's scores …") : "";
  }

  function cover() {
    bars.draw([]);
    actual.textContent = rest.textContent = "";
    told.textContent = "Predict: say what comes, and how sure the model is, then reveal.";
  }

  // A tick in a bar: where it ended before.
  function markBefore(row, made, i) {
    const track = row.querySelector(".lm-track");
    const tick = track.querySelector(".lm-before") ?? track.appendChild(el("span", { class: "lm-before" }));
    tick.hidden = !made;
    row.classList.toggle("lm-cut", Boolean(made) && i >= made.kept);
    if (made) tick.style.left = `${(100 * made.before[i]) / Math.max(made.before[0], made.after[0])}%`;
  }

  const many = (n) => n.toLocaleString("en");
  const restAfter = ({ before, after }, n) =>
    before.length > n ? `all ${many(before.length - n)} others together: ${percent(Math.max(0, 1 - sumOf(before, n)))} → ${percent(Math.max(0, 1 - sumOf(after, n)))}` : "";

  function tell({ before, kept, held }) {
    const some = `${many(kept)} of ${many(before.length)} tokens`;
    const cut = kept < before.length ? `${some} can be drawn; the model gave them ${percent(held)}, and the other ${percent(Math.max(0, 1 - held))} is taken away` : `All ${many(before.length)} tokens can be drawn`;
    return `Model → drawn from. ${cut}. What is drawn from sums to 100 % again; the tick in a bar is where the model's own ended.`;
  }

  return { node, draw, later: true };
}
