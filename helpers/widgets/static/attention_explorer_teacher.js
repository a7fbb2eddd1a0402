// For a class: large type, predict first and reveal then, named states, and the view as a text to share.

function teacherBar(app, view, ask) {
  const button = (text, press) => el("button", { class: "lm-button", type: "button", text, onclick: press });
  const toggle = (what) => app.set({ hide: app.state.hide.includes(what) ? app.state.hide.filter((each) => each !== what) : [...app.state.hide, what] });
  const large = button("Large type", () => app.set({ large: !app.state.large }));
  const hides = { weights: button("Hide weights", () => toggle("weights")), next: button("Hide next tokens", () => toggle("next")) };
  const reveal = button("Reveal (R)", app.reveal);
  const presets = el("div", { class: "lm-row", role: "group", "aria-label": "Views to go to" });
  const line = el("input", { class: "lm-search lm-grow", type: "text", "aria-label": "This view as text; paste another one here", spellcheck: "false" });
  const said = el("div", { class: "lm-note", role: "status" });
  const go = button("Show what stands here", () => ask(line.value, said));
  const copy = button("Copy", () => {
    line.select();
    navigator.clipboard?.writeText(line.value).then(() => put(said, "Copied."), () => put(said, "Press Ctrl+C or ⌘C to copy it."));
  });
  const share = el("details", { class: "lm-details" }, el("summary", { text: "Share this view", tabindex: "0" }), div("lm-row", line, copy, go));
  const node = panelOf(div("lm-row", large, ...Object.values(hides), reveal), presets, share, said);

  share.addEventListener("toggle", fill);
  onKey(line, (event) => {
    event.stopPropagation();
    if (event.key === "Enter") go.click();
  });

  function fill() {
    if (share.open && document.activeElement !== line) line.value = JSON.stringify(view());
  }

  function setPresets(given) {
    presets.hidden = !given.length;
    presets.replaceChildren(...given.map(([name, state]) => button(name, () => ask(state, said))));
  }

  function draw({ state, secret }) {
    large.setAttribute("aria-pressed", String(state.large));
    for (const [what, each] of Object.entries(hides)) each.setAttribute("aria-pressed", String(state.hide.includes(what)));
    reveal.hidden = !secret("weights") && !secret("next");
    fill();
  }

  return { node, draw, setPresets, said };
}
