// All heads in one matrix: their mean in a layer, or rollout through the layers. Heuristics, and said to be.

const MIXES = { mean: "mean over the heads of this layer", rollout: "rollout from the input to after this layer" };
const BECAUSE = { mean: "Their mean hides what a single head does.", rollout: "Rollout takes each layer as half its heads' mean and half the token itself." };

function mixPanel(tools, body) {
  const { app } = tools;
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const ask = measured(tools, waiting);
  const how = choice("How heads are put together", MIXES, (value) => app.set({ mix: value }));
  const said = el("div", { class: "lm-note", role: "status" });
  const canvas = el("canvas", { class: "lm-matrix", role: "img" });
  const rows = div("lm-grow");
  const cells = el("canvas", {});
  let drawn = "";
  body.replaceChildren(div("lm-explorer", div("lm-row", el("b", { text: "Heuristic" }), how), waiting, said, div("lm-parts", canvas, rows)));

  function draw({ reading, state, look, shades, hidden }) {
    how.value = state.mix;
    const kind = reading.kinds[state.kind];
    const answer = hidden ? null : ask({ what: "mix", kind: state.kind, layer: state.layer, how: state.mix, revision: reading.revision });
    const now = `${answer?.key} ${state.query} ${hidden} ${look.paper}`;
    if (now === drawn) return;
    drawn = now;
    canvas.hidden = rows.hidden = !answer?.matrix;
    if (!answer?.matrix) return put(said, hidden ? COVERED : answer ? `Not here: ${answer.error}.` : "Python is putting them together …");
    put(said, `Layer ${state.layer}. ${BECAUSE[state.mix]} It knows neither values, nor output matrices, nor feed-forward networks, so it does not say what a prediction depends on; switching heads off does.`);
    const all = singles(answer.matrix);
    const size = Math.max(1, Math.min(24, Math.floor(300 / Math.max(kind.T, kind.S))));
    const [width, height] = [size * kind.S + 4, size * kind.T + 4];
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    canvas.setAttribute("aria-label", `${MIXES[state.mix]}, ${kind.T} by ${kind.S}: rows look, columns are looked at; the framed row stands beside it as a table`);
    drawWeights(cells, all, kind.T, kind.S, shades);
    const paint = cleared(canvas, width, height);
    paint.imageSmoothingEnabled = false;
    paint.drawImage(cells, 2, 2, size * kind.S, size * kind.T);
    Object.assign(paint, { strokeStyle: look.ink, lineWidth: 1 });
    paint.strokeRect(1.5, 1.5, size * kind.S + 1, size * kind.T + 1);
    paint.lineWidth = 2;
    paint.strokeRect(1, 1 + size * state.query, size * kind.S + 2, size + 2);
    const row = all.subarray(state.query * kind.S, (state.query + 1) * kind.S);
    const best = strongest(row, reach(kind, state.query)).slice(0, 10);
    rows.replaceChildren(tableOf(`${state.mix === "mean" ? "Looked at by" : "Followed back from"} ${named(kind.queries[state.query], state.query)}, the ${best.length} largest`, ["position", "token", "share"], best.map((i) => [String(i), el("bdi", { text: kind.keys[i] }), percent(row[i])])));
  }

  return { draw };
}
