// The grid of all heads, a row for each layer: small pictures of their matrices, of which one is chosen.

function headGrid(app) {
  const grid = el("div", { class: "lm-heads", role: "radiogroup", "aria-label": "Heads, a row for each layer; arrow keys choose" });
  const title = el("b", {});
  const node = panelOf(title, grid, el("div", { class: "lm-muted lm-small", text: "Each picture is one head: rows look, columns are looked at." }));
  const canvas = el("canvas", { "aria-hidden": "true" }); // all pictures, behind the buttons: one for each would be a layer of the page each
  const one = el("canvas", {});
  let buttons = []; // [layer][head]
  let size = 0; // of a picture with its frame
  let built = null; // the shape that the buttons are for

  function build({ layers, heads }) {
    size = Math.max(26, Math.min(72, Math.floor(330 / heads), Math.floor(420 / layers)));
    grid.style.gridTemplateColumns = `auto repeat(${heads}, ${size}px)`;
    const label = (text) => el("span", { class: "lm-small lm-muted", text, "aria-hidden": "true" });
    buttons = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: heads }, (_, head) => {
        const title = `layer ${layer}, head ${head}`;
        return el("button", { class: "lm-head", style: `width: ${size}px; height: ${size}px`, type: "button", role: "radio", title, "aria-label": title, onclick: () => app.chooseHead(layer, head) });
      }),
    );
    canvas.style = `width: ${(size + 2) * heads}px; height: ${(size + 2) * layers}px`;
    const top = [label(""), ...Array.from({ length: heads }, (_, head) => label(`${head}`))];
    grid.replaceChildren(canvas, ...top, ...buttons.flatMap((row, layer) => [label(`layer ${layer}`), ...row]));
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
    const counted = (n, what) => `${n} ${what}${n > 1 ? "s" : ""}`;
    title.textContent = shape === "1 1" ? "The one head" : `${counted(kind.layers, "layer")} × ${counted(kind.heads, "head")}: choose one`;
    const paint = what.reading || what.look || shape !== built ? cleared(canvas, (size + 2) * kind.heads, (size + 2) * kind.layers) : null;
    if (paint) paint.imageSmoothingEnabled = false;
    buttons.forEach((row, layer) =>
      row.forEach((button, head) => {
        const chosen = layer === state.layer && head === state.head;
        button.setAttribute("aria-checked", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        if (!paint) return;
        drawWeights(one, ...(hidden ? [[0], 1, 1] : [kind.small(layer, head), ...kind.shape]), shades);
        paint.drawImage(one, (size + 2) * head + 3, (size + 2) * layer + 3, size - 6, size - 6);
      }),
    );
    built = shape;
  }

  return { node, draw };
}
