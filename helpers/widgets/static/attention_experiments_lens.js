// Logit lens: what would be predicted if the layers from one on were left out.

function lensPanel(tools, body) {
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const ask = measured(tools, waiting);
  const said = el("div", { class: "lm-note", role: "status" });
  const rows = el("div", {});
  const note = el("div", { class: "lm-muted lm-small", text: "A lens, not a belief: each row is what the last norm and the output make of the stream there, and early layers need not write in those terms." });
  let drawn = "";
  body.replaceChildren(div("lm-explorer", waiting, said, rows, note));

  function draw({ reading, state, secret }) {
    const kind = reading.kinds[state.kind];
    const at = kind.predicts ? state.query : reading.predictions.length - 1;
    const hidden = secret("next");
    const answer = hidden ? null : ask({ what: "lens", kind: state.kind, revision: reading.revision });
    const now = `${reading.revision} ${state.kind} ${at} ${hidden} ${Boolean(answer)}`;
    if (now === drawn) return;
    drawn = now;
    note.hidden = rows.hidden = !answer?.rows;
    if (!answer?.rows) return put(said, hidden ? COVERED : answer ? `No lens here: ${answer.error}.` : "Python is reading …");
    const where = named(kind.queries[at], at);
    put(said, `${reading.masked ? "What would stand at" : "What would come after"} ${where}, if the layers from there on were left out? The model's own answer is “${answer.answer[at]}”.`);
    const track = (p) => el("span", { class: "lm-track lm-short" }, el("span", { class: "lm-bar", style: `width: ${100 * p}%` }));
    const line = ([token, p, rank], row) => [row ? `after layer ${row - 1}` : "before layer 0", el("bdi", { text: token }), el("span", { class: "lm-row" }, track(p), percent(p)), `${rank.toLocaleString("en")} of ${answer.vocab_size.toLocaleString("en")}`];
    rows.replaceChildren(tableOf(`Logit lens at ${where}`, ["stream", "likeliest token", "its probability", "number of the model's answer"], answer.rows[at].map(line)));
  }

  return { draw };
}
