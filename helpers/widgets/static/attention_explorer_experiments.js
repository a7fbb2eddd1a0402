// What is measured on demand, a part for each experiment. Their panels are a second module, whose source Python sends when the first
// part is opened; a page keeps it for all its explorers.

const PARTS = { steps: "Steps of training", ablation: "Switch heads off", lens: "Logit lens: the prediction after each layer", labels: "Heads of known kinds", mix: "All heads in one: mean and rollout" };

function experiments(app, model, link, grid, again) {
  const kept = (globalThis.lmExperiments ??= {}); // version → module
  const tools = { app, model, link, grid, again, heard: new Set() };
  const panels = {};
  let asked = false;

  const parts = Object.entries(PARTS).map(([name, text]) => {
    const body = el("div", {});
    const toggle = (event) => {
      event.preventDefault();
      const others = app.state.open.filter((each) => each !== name);
      app.set({ open: others.length < app.state.open.length ? others : [...others, name] });
    };
    return [name, el("details", { class: "lm-details" }, el("summary", { text, tabindex: "0", onclick: toggle }), body), body];
  });
  const [steps, ...nodes] = parts.map(([, part]) => part);

  function receive(message, buffers) {
    if (!message.source) return tools.heard.forEach((hear) => hear(message, buffers));
    import(URL.createObjectURL(new Blob([message.source], { type: "text/javascript" }))).then((made) => {
      kept[EXPERIMENTS] ??= made;
      again();
    });
  }
  model.on("msg:custom", receive);

  function draw(seen) {
    for (const [name, part, body] of parts) {
      part.hidden = name === "steps" && !seen.reading.steps;
      part.open = seen.state.open.includes(name);
      if (!part.open) continue;
      if (seen.readOnly) put(body, "This needs Python, and is not part of a saved page.");
      else if (kept[EXPERIMENTS]) (panels[name] ??= kept[EXPERIMENTS].panels[name](tools, body)).draw(seen);
      else if (!asked) {
        put(body, "Loading …");
        patience(body, () => kept[EXPERIMENTS]).send(model, { type: "source" });
        asked = true;
      }
    }
  }

  return { steps, node: panelOf(...nodes), draw, later: true, stop: () => model.off("msg:custom", receive) };
}
