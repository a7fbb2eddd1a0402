// Training dashboard. Python sends what is new while a run goes; the points are kept here, once for all views of a dashboard.

const TELL = {
  waiting: () => "Waiting for a run: train(…, callback=dashboard).",
  running: ({ looks }) => `Training.${looks}`,
  pausing: () => "Pausing at the next report …",
  paused: ({ step }) => `Paused at step ${step}. Press Go on, or Stop here.`,
  stopping: () => "Stopping at the next report …",
  stopped: ({ step, looks }) => `Stopped at step ${step}.${looks}`,
  done: ({ step, seconds, looks }) => `Done: ${step} steps, ${duration(seconds)} of training.${looks}`,
};
const SILENCE = "No answer yet. This page may hold messages back while a cell runs; to end the run and keep what it has reached, interrupt the kernel (■).";
const LISTS = [["steps", "loss", "lr"], ["val_steps", "val_loss"], ["samples"]];

const whole = (n) => Math.round(n).toLocaleString("en-US");
const nats = (x) => (x === null ? "not a number" : x.toFixed(3));

function duration(seconds) {
  const [s, m] = [Math.round(seconds), Math.round(seconds / 60)];
  if (s < 60) return `${s} s`;
  return m < 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

// What has come of the run. A message may repeat what is here; where one is missing, all is asked for again.
function keep(model, data, changed) {
  let asked = -Infinity;
  const askForAll = () => {
    if (Date.now() - asked < 1000) return;
    asked = Date.now();
    model.send({ type: "all" });
  };
  model.on("msg:custom", (news) => {
    if (news.type !== "news") return;
    if (news.run !== data.run) LISTS.flat().forEach((name) => (data[name] = []));
    LISTS.forEach((names, i) => {
      if (data[names[0]].length < news.at[i]) askForAll();
      else for (const name of names) data[name] = data[name].slice(0, news.at[i]).concat(news[name]);
    });
    for (const name of ["run", "state", "step", "tokens_per_second", "seconds", "seconds_left"]) data[name] = news[name];
    changed();
  });
  askForAll();
}

function show(model, data, host, views) {
  const { steps, baselines, samples: sampled } = model.get("setup");
  const root = frameOf(host, "Training dashboard");
  root.classList.add("lm-wide");
  let chosen = -1; // the sample that is shown; -1: the latest
  let queued = false;
  let pressed = null; // the state in which a button was pressed that has no answer yet
  let timer = null;

  const status = el("div", { class: "lm-message", role: "status" });
  const pause = el("button", { class: "lm-button", type: "button", onclick: () => press(data.state === "pausing" || data.state === "paused" ? "go" : "pause") });
  const stop = el("button", { class: "lm-button", type: "button", text: "Stop here", onclick: () => press("stop") });
  const bar = el("div", { class: "lm-track lm-grow", role: "progressbar", "aria-label": "Steps done", "aria-valuemin": "0", "aria-valuemax": String(steps) }, el("span", { class: "lm-bar" }));
  const count = el("span", { class: "lm-percent" });
  const facts = el("dl", { class: "lm-facts" });
  const chart = el("canvas", { class: "lm-chart", role: "img" });
  const earlier = el("button", { class: "lm-button", type: "button", text: "‹ Earlier", onclick: () => step(-1) });
  const later = el("button", { class: "lm-button", type: "button", text: "Later ›", onclick: () => step(1) });
  const slider = el("input", { type: "range", min: "0", step: "1", "aria-label": "Sample", oninput: () => choose(Number(slider.value)) });
  const heading = el("b", { class: "lm-heading" });
  const text = el("div", { class: "lm-board lm-sample", tabindex: "0", role: "region", "aria-label": "What the model wrote" });
  const section = el("section", { class: "lm-panel", "aria-label": "Samples" }, el("div", { class: "lm-row" }, heading, earlier, slider, later), text);
  const rows = el("tbody", {});
  const caption = el("caption", {});
  const head = el("tr", {}, ...["Steps", "Batches", "Validation text", "Learning rate"].map((name) => el("th", { scope: "col", text: name })));
  const table = el("details", { class: "lm-details", ontoggle: redraw }, el("summary", { text: "The numbers", "data-lm-suppress-shortcuts": "true" }), el("div", { class: "lm-scroll", tabindex: "0" }, el("table", { class: "lm-weights" }, caption, el("thead", {}, head), rows)));
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  section.hidden = !sampled;
  root.append(el("div", { class: "lm-row" }, bar, count, pause, stop), status, facts, chart, section, table, waiting);

  function press(type) {
    if ((type === "stop" ? stop : pause).getAttribute("aria-disabled") === "true") return;
    model.send({ type });
    pressed = data.state;
    clearTimeout(timer);
    timer = setTimeout(() => (waiting.textContent = SILENCE), 3000);
  }

  function choose(i) {
    chosen = i >= data.samples.length - 1 ? -1 : Math.max(0, i);
    redraw();
  }
  const step = (by) => choose((chosen < 0 ? data.samples.length - 1 : chosen) + by);

  function redraw() {
    if (!queued) requestAnimationFrame(draw);
    queued = true;
  }

  function draw() {
    queued = false;
    drawState();
    if (sampled) drawSample();
    if (table.open) drawTable();
    drawChart(chart, root, data, steps, baselines);
  }

  function drawState() {
    const last = data.val_loss.at(-1);
    const looks = last === undefined ? "" : ` Validation loss ${nats(last)} at step ${whole(data.val_steps.at(-1))}.`;
    say(status, TELL[data.state]({ looks, step: whole(data.step), seconds: data.seconds }));
    const paused = data.state === "pausing" || data.state === "paused";
    say(pause, paused ? "Go on" : "Pause");
    pause.setAttribute("aria-disabled", String(!paused && data.state !== "running"));
    stop.setAttribute("aria-disabled", String(!paused && data.state !== "running"));
    bar.setAttribute("aria-valuenow", String(data.step));
    bar.firstChild.style.width = `${(100 * Math.min(data.step, steps)) / steps}%`;
    say(count, `${whole(data.step)} of ${whole(steps)} steps`);
    const known = [
      ["Batch loss", data.loss.length ? nats(data.loss.at(-1)) : "–"],
      ["Validation loss", last === undefined ? "–" : nats(last)],
      ["Learning rate", data.lr.at(-1)?.toPrecision(2) ?? "–"],
      ["Tokens per second", data.tokens_per_second ? whole(data.tokens_per_second) : "–"],
      ["Time left", data.seconds_left == null ? "–" : duration(data.seconds_left)],
    ];
    while (facts.childElementCount < known.length) facts.append(el("div", {}, el("dt", {}), el("dd", {})));
    known.forEach(([name, value], i) => (say(facts.children[i].firstChild, name), say(facts.children[i].lastChild, value)));
  }

  function drawSample() {
    const n = data.samples.length;
    if (chosen >= n) chosen = -1; // another run
    const i = chosen < 0 ? n - 1 : chosen;
    const [at, prompt, written] = data.samples[i] ?? [0, "", ""];
    say(heading, n ? `Sample at step ${whole(at)} (${i + 1} of ${n})` : "No sample yet");
    slider.max = String(Math.max(0, n - 1));
    slider.value = String(Math.max(0, i));
    slider.setAttribute("aria-valuetext", n ? `step ${at}` : "none yet");
    earlier.setAttribute("aria-disabled", String(i <= 0));
    later.setAttribute("aria-disabled", String(i >= n - 1));
    if (text.textContent !== prompt + written) text.replaceChildren(el("b", { text: prompt }), written);
  }

  function drawTable() {
    const ends = data.val_steps.length ? data.val_steps : data.steps.filter((_, i) => (i + 1) % Math.ceil(data.steps.length / 20) === 0).map((at) => at + 1);
    const names = Object.entries(baselines).map(([name, value]) => `${name} ${nats(value)}`);
    say(caption, `Nats per token; batches: the mean since the row before.${names.length ? ` Baselines: ${names.join(", ")}.` : ""}`);
    let from = 0;
    const lines = ends.map((end, row) => {
      let to = from;
      while (to < data.steps.length && data.steps[to] < end) to++;
      const losses = data.loss.slice(from, to);
      const rate = data.lr[to - 1];
      from = to;
      return [whole(end), losses.length ? nats(losses.reduce((a, b) => a + b) / losses.length) : "–", data.val_loss[row] === undefined ? "–" : nats(data.val_loss[row]), rate?.toPrecision(3) ?? "–"];
    });
    rows.replaceChildren(...lines.map((line) => el("tr", {}, ...line.map((value) => el("td", { text: value })))));
  }

  function changed() {
    if (data.state !== pressed) {
      clearTimeout(timer);
      waiting.textContent = "";
      pressed = null;
    }
    redraw();
  }
  views.add(changed);
  redraw();
  const unlook = onLook(chart, redraw);
  return () => (clearTimeout(timer), views.delete(changed), unlook());
}

// Written only where it changes: a live region is read out again otherwise.
function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

export default () => {
  const data = { run: null, state: "waiting", step: 0, tokens_per_second: null, seconds: 0, seconds_left: null };
  LISTS.flat().forEach((name) => (data[name] = []));
  const views = new Set();
  return {
    initialize: ({ model }) => keep(model, data, () => views.forEach((redraw) => redraw())),
    render: ({ model, el: host }) => show(model, data, host, views),
  };
};
