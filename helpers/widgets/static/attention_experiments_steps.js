// Steps of training that were saved: a slider, at whose end is the model as it is.

function stepsPanel({ app, link }, body) {
  let [wanted, sent, moved] = [null, null, false]; // moved: the slider is ahead of what is shown
  const stops = () => [...app.reading.steps, null];
  const name = (step) => (step === null ? "the model as it is" : `step ${step.toLocaleString("en")}`);
  const control = slider("step", 0, 1, 1, choose, (i) => name(stops()[i]));
  control.node.classList.add("lm-steps-slider");
  const said = el("div", { class: "lm-note", role: "status" });
  body.replaceChildren(div("lm-explorer", control.node, said));

  // One at a time: where the slider has moved on meanwhile, the last one goes when the answer comes.
  function choose(i) {
    [wanted, moved] = [stops()[i], true];
    control.show(i);
    if (!link.isAsking()) send();
  }

  function send() {
    sent = wanted;
    link.request({ type: "step", step: wanted });
  }

  function draw({ reading, state, secret }) {
    if (moved && !link.isAsking()) wanted === sent ? (moved = false) : send();
    const all = stops();
    control.limit(0, all.length - 1, 1);
    control.show(all.indexOf(moved ? wanted : reading.step));
    put(said, `Everything here is with the weights of ${name(reading.step)}. ${secret("next") && doubtOf(reading) ? "" : lossOf(reading, reading.kinds[state.kind].predicts ? state.query : reading.predictions.length - 1)}`);
  }

  return { draw };
}

export const panels = { ablation: ablationPanel, lens: lensPanel, labels: labelsPanel, mix: mixPanel, steps: stepsPanel };
