// Heads of known kinds: how much weight each puts where such a head would look, beside chance.

function labelsPanel(tools, body) {
  const { app, grid } = tools;
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const ask = measured(tools, waiting);
  const said = el("div", { class: "lm-note", role: "status" });
  const list = el("ul", { class: "lm-labels" });
  const all = folded("All scores", el("div", {}));
  const note = el("div", { class: "lm-muted lm-small", text: "Score: the mean weight where a head of that kind would look, 0 to 1, beside chance, what a head with even weights has there. Induction is measured on random tokens that come twice. A score says where a head looks, not what it does. Scores stand in the titles of the pictures above, too." });
  let [drawn, titled] = [null, ""];
  body.replaceChildren(div("lm-explorer", waiting, said, list, all, note));

  const score = (value, chance) => (value === null ? "no place" : `${value.toFixed(2)} (chance ${chance.toFixed(2)})`);

  function draw({ reading, state, hidden }) {
    const answer = hidden ? null : ask({ what: "labels", kind: state.kind, revision: reading.revision });
    if (!answer || answer.error) {
      put(said, hidden ? COVERED : answer ? `No kinds here: ${answer.error}.` : "Python is measuring …");
      list.hidden = all.hidden = note.hidden = true;
      drawn = null;
      return title({}, "none");
    }
    title(answer.scores, answer.key);
    if (drawn === answer) return;
    drawn = answer;
    list.hidden = all.hidden = note.hidden = false;
    put(said, answer.labels.length ? "Heads that are closer to one of four kinds than to chance:" : "No head is nearer to one of the four kinds than to chance.");
    const go = ({ layer, head }) => el("button", { class: "lm-button", type: "button", text: nameOf(layer, head), onclick: () => app.chooseHead(layer, head) });
    list.replaceChildren(...answer.labels.map((label) => el("li", { class: "lm-row" }, go(label), `${label.name}: ${score(label.score, label.chance)}`)));
    const kinds = Object.entries(answer.scores);
    const { layers, heads } = reading.kinds[state.kind];
    const rows = Array.from({ length: layers * heads }, (_, i) => [Math.floor(i / heads), i % heads]);
    const shown = (value) => (value === null ? "–" : value.toFixed(2));
    const line = ([layer, head]) => [nameOf(layer, head), ...kinds.map(([, { values }]) => shown(values[layer][head]))];
    const caption = "Scores of all heads";
    all.lastChild.replaceChildren(tableOf(caption, ["head", ...kinds.map(([name]) => name)], [...rows.map(line), ["chance", ...kinds.map(([, { chance }]) => shown(chance))]]));
  }

  // Beside each head's picture: what it scores.
  function title(scores, key) {
    const { heads } = app.kind();
    const pictures = [...grid.querySelectorAll(".lm-head")];
    if (titled === `${key} ${pictures.length}` && pictures[0]?.title.includes(":") === (key !== "none")) return;
    titled = `${key} ${pictures.length}`;
    pictures.forEach((button, i) => {
      const [layer, head] = [Math.floor(i / heads), i % heads];
      const told = Object.entries(scores).map(([name, { values, chance }]) => `${name} ${score(values[layer][head], chance)}`);
      button.title = [nameOf(layer, head), ...(told.length ? [told.join(", ")] : [])].join(": ");
    });
  }

  return { draw };
}
