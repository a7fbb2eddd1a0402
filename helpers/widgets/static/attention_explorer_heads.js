// The grid of all heads, a row for each layer: small pictures of their matrices, of which one is chosen.

function headGrid(app) {
  const grid = el("div", { class: "lm-heads", role: "radiogroup", "aria-label": "Heads, a row for each layer; arrow keys choose" });
  const title = el("b", {});
  const node = panelOf(title, grid, el("div", { class: "lm-muted lm-small", text: "Each picture is one head: rows look, columns are looked at." }));
  let buttons = []; // [layer][head]
  let built = null; // the shape that the buttons are for

  function build({ layers, heads }) {
    const size = Math.max(26, Math.min(72, Math.floor(330 / heads), Math.floor(420 / layers)));
    grid.style.gridTemplateColumns = `auto repeat(${heads}, ${size}px)`;
    const label = (text) => el("span", { class: "lm-small lm-muted", text, "aria-hidden": "true" });
    buttons = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: heads }, (_, head) => {
        const canvas = el("canvas", { style: `width: ${size - 6}px; height: ${size - 6}px` });
        return el("button", { class: "lm-head", type: "button", role: "radio", title: `layer ${layer}, head ${head}`, "aria-label": `layer ${layer}, head ${head}`, onclick: () => app.chooseHead(layer, head) }, canvas);
      }),
    );
    const top = [label(""), ...Array.from({ length: heads }, (_, head) => label(`${head}`))];
    grid.replaceChildren(...top, ...buttons.flatMap((row, layer) => [label(`layer ${layer}`), ...row]));
  }

  onKey(grid, (event) => {
    const [down, right] = arrowOf(event);
    if (down === undefined) return;
    taken(event);
    const next = buttons[app.state.layer + down]?.[app.state.head + right];
    if (!next) return;
    app.chooseHead(app.state.layer + down, app.state.head + right);
    next.focus();
  });

  function draw({ reading, state, shades, hidden }, what) {
    if (!what.reading && !what.head && !what.look) return;
    const kind = reading.kinds[state.kind];
    const shape = `${kind.layers} ${kind.heads}`;
    if (shape !== built) build(kind);
    const few = kind.layers * kind.heads === 1;
    title.textContent = few ? "The one head" : `${kind.layers} ${kind.layers > 1 ? "layers" : "layer"} × ${kind.heads} ${kind.heads > 1 ? "heads" : "head"}: choose one`;
    buttons.forEach((row, layer) =>
      row.forEach((button, head) => {
        const chosen = layer === state.layer && head === state.head;
        button.setAttribute("aria-checked", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        if (what.reading || what.look || shape !== built) drawWeights(button.firstChild, ...(hidden ? [[0], 1, 1] : [kind.small(layer, head), ...kind.shape]), shades);
      }),
    );
    built = shape;
  }

  return { node, draw };
}
