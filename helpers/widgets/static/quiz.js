// Quiz questions: native radio buttons, and the explanation of the option chosen below them.

// Text with `code` and **bold** as nodes; everything else stays the text that it is.
function rich(text) {
  return text.split(/(`[^`]+`|\*\*.+?\*\*)/).map((part) => {
    if (/^`.+`$/.test(part)) return el("code", { text: part.slice(1, -1) });
    if (/^\*\*.+\*\*$/.test(part)) return el("b", { text: part.slice(2, -2) });
    return part;
  });
}

function render({ model, el: host }) {
  const root = frameOf(host, "Quiz");
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  let asked = 0;
  const wait = patience(waiting, () => model.get("state").revision > asked);

  function choose(id, index) {
    asked = model.get("state").revision;
    wait.send(model, { type: "choose", id, index });
  }

  function fieldset({ id, name, question, options }, number) {
    const group = `lm-quiz-${Math.random().toString(36).slice(2)}-${number}`; // each view's radio buttons are a group of their own
    const labels = options.map((option, index) => {
      const radio = el("input", { type: "radio", name: group, onchange: () => choose(id, index) });
      return el("label", { class: "lm-option" }, radio, el("span", { text: `${"abcdefgh"[index]}: ` }, ...rich(option)));
    });
    return el("fieldset", { class: "lm-question" }, el("legend", {}, el("b", { text: `${name}: ` }), ...rich(question)), ...labels, el("div", { class: "lm-explanation", "aria-live": "polite" }));
  }

  const fieldsets = model.get("state").questions.map(fieldset);
  root.append(...fieldsets, waiting);

  return follow(model, ["state"], () => {
    wait.stop();
    model.get("state").questions.forEach(({ chosen, verdict }, number) => {
      fieldsets[number].querySelectorAll("input").forEach((radio, index) => (radio.checked = index === chosen));
      fieldsets[number].querySelector(".lm-explanation").replaceChildren(...rich(verdict));
    });
  });
}

export default { render };
