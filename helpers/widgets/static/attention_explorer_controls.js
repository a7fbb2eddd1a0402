// What the panels' controls share.

// A labelled range whose value is also said in words.
function slider(name, min, max, step, choose, say) {
  const said = el("output", { class: "lm-said" });
  const input = el("input", { type: "range", min, max, step, "aria-label": name, oninput: () => choose(Number(input.value)) });
  input.addEventListener("keydown", (event) => event.stopPropagation());
  const node = el("label", { class: "lm-slider" }, el("span", { text: name }), input, said);

  function show(value) {
    if (Number(input.value) !== value) input.value = value;
    put(said, say(value));
    input.setAttribute("aria-valuetext", say(value));
  }
  function limit(min, max, step) {
    for (const [name, value] of Object.entries({ min, max, step })) if (Number(input[name]) !== value) input[name] = value;
  }
  return { node, show, limit };
}
