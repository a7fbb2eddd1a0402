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
const LOOKS = { light: ["#0072b2", "#b34700"], dark: ["#56b4e9", "#f08b3c"] }; // batches, validation text
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
      else for (const name of names) data[name].splice(news.at[i], Infinity, ...news[name]);
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
  let answer = null; // the timer of a button that has no answer yet

  const status = el("div", { class: "lm-message", role: "status" });
  const pause = el("button", { class: "lm-button", type: "button", onclick: () => press(data.state === "pausing" || data.state === "paused" ? "go" : "pause") });
  const stop = el("button", { class: "lm-button", type: "button", text: "Stop here", onclick: () => press("stop") });
  const bar = el("div", { class: "lm-track lm-grow", role: "progressbar", "aria-label": "Steps done", "aria-valuemin": "0", "aria-valuemax": String(steps) }, el("span", { class: "lm-bar" }));
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
  root.append(el("div", { class: "lm-row" }, bar, pause, stop), status, facts, chart, section, table, waiting);

  function press(type) {
    if ((type === "stop" ? stop : pause).getAttribute("aria-disabled") === "true") return;
    model.send({ type });
    clearTimeout(answer);
    answer = setTimeout(() => (waiting.textContent = SILENCE), 3000);
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
    const known = [
      ["Step", `${whole(data.step)} of ${whole(steps)}`],
      ["Batch loss", data.loss.length ? nats(data.loss.at(-1)) : "–"],
      ["Validation loss", last === undefined ? "–" : nats(last)],
      ["Learning rate", data.lr.length ? data.lr.at(-1).toPrecision(2) : "–"],
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
      return [whole(end), losses.length ? nats(losses.reduce((a, b) => a + b) / losses.length) : "–", data.val_loss[row] === undefined ? "–" : nats(data.val_loss[row]), rate === undefined ? "–" : rate.toPrecision(3)];
    });
    rows.replaceChildren(...lines.map((line) => el("tr", {}, ...line.map((value) => el("td", { text: value })))));
  }

  function answered() {
    clearTimeout(answer);
    waiting.textContent = "";
    redraw();
  }
  views.add(answered);
  redraw();
  const unlook = onLook(chart, redraw);
  return () => (clearTimeout(answer), views.delete(answered), unlook());
}

// Written only where it changes: a live region is read out again otherwise.
function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// ---- the chart

// About n round numbers from low to high.
function ticks(low, high, n) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let k = Math.ceil(low / by); k * by <= high + by * 1e-9; k++) found.push(k * by);
  return { by, found };
}

// Points (x, y) on the screen, at most one a pixel: the mean of those that share it.
function thin(xs, ys, toX, toY) {
  const found = [];
  let [pixel, sum, n] = [null, 0, 0];
  const close = () => n && found.push([pixel, toY(sum / n)]);
  xs.forEach((x, i) => {
    if (ys[i] === null) return;
    const at = Math.round(toX(x));
    if (at !== pixel) close(), ([pixel, sum, n] = [at, 0, 0]);
    (sum += ys[i]), n++;
  });
  close();
  return found;
}

function drawChart(canvas, root, data, steps, baselines) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const first = data.val_loss[0] ?? data.loss[0];
  const words = first === undefined ? "no step yet" : `from ${nats(first)} to ${nats(data.val_loss.at(-1) ?? data.loss.at(-1))} nats per token after ${data.step} of ${steps} steps`;
  canvas.setAttribute("aria-label", `Loss against steps: ${words}; the numbers are in the table below`);
  if (!width || !height) return; // scrolled away
  const { ink, dark, font } = paperOf(root);
  const [blue, vermilion] = LOOKS[dark ? "dark" : "light"];
  const [faint, grey] = dark ? ["#4a4a4a", "#b0b0b0"] : ["#dddddd", "#595959"];
  const paint = cleared(canvas, width, height);
  const [left, right, top, bottom] = [56, width - 12, 26, height - 118]; // of the losses
  const [rateTop, rateBottom] = [height - 78, height - 38];
  const seen = [...data.loss, ...data.val_loss, ...Object.values(baselines)].filter((y) => y !== null);
  const [least, most] = [Math.min(...seen.slice(0, 1), ...seen), Math.max(...seen.slice(0, 1), ...seen)].map((y) => (Number.isFinite(y) ? y : 0));
  const margin = 0.06 * (most - least || 1);
  const [low, high] = [least - margin, most + margin];
  const toX = (x) => left + ((right - left) * x) / steps;
  const toY = (y) => bottom - ((bottom - top) * (y - low)) / (high - low);
  const peak = Math.max(1e-300, ...data.lr);
  const toRate = (y) => rateBottom - ((rateBottom - rateTop) * y) / peak;

  paint.fillStyle = ink;
  const write = (words, x, y, align = "left", weight = "") => ((paint.font = `${weight} 14px ${font}`), (paint.textAlign = align), paint.fillText(words, x, y));
  const path = (points, color, line, dash = []) => {
    paint.setLineDash(dash);
    [paint.strokeStyle, paint.lineWidth, paint.lineJoin] = [color, line, "round"];
    paint.beginPath();
    points.forEach(([x, y], i) => (i ? paint.lineTo(x, y) : paint.moveTo(x, y)));
    paint.stroke();
    paint.setLineDash([]);
  };
  const diamond = (x, y) => {
    paint.fillStyle = vermilion;
    paint.beginPath();
    [[0, -5], [5, 0], [0, 5], [-5, 0]].forEach(([dx, dy]) => paint.lineTo(x + dx, y + dy));
    paint.fill();
    paint.fillStyle = ink;
  };

  write("Loss, nats per token", 4, 14, "left", "bold");
  write("Learning rate", 4, rateTop - 10, "left", "bold");
  write("steps", right, height - 4, "right");
  if (seen.length) {
    const { by, found } = ticks(low, high, 5);
    for (const y of found) {
      path([[left, toY(y)], [right, toY(y)]], faint, 1);
      write(y.toFixed(Math.max(0, -Math.floor(Math.log10(by) + 1e-9))), left - 8, toY(y) + 4, "right");
    }
  }
  for (const x of ticks(0, steps, Math.max(2, Math.min(8, width / 110))).found) {
    path([[toX(x), rateBottom], [toX(x), rateBottom + 4]], grey, 1);
    write(whole(x), Math.min(toX(x), right - 10), rateBottom + 18, "center");
  }
  path([[left, top], [left, bottom], [right, bottom]], grey, 1);
  path([[left, rateTop], [left, rateBottom], [right, rateBottom]], grey, 1);
  if (data.lr.length) write(peak.toPrecision(2), left - 8, rateTop + 8, "right");
  for (const [name, y] of Object.entries(baselines)) {
    path([[left, toY(y)], [right, toY(y)]], grey, 1.5, [2, 3]);
    write(name, right, toY(y) - 5, "right");
  }
  path(thin(data.steps, data.loss, toX, toY), blue, 1.3);
  const looks = thin(data.val_steps, data.val_loss, toX, toY);
  path(looks, vermilion, 2, [7, 4]);
  looks.forEach(([x, y]) => diamond(x, y));
  path(thin(data.steps, data.lr, toX, toRate), ink, 1.5);

  const second = right - 116; // the key
  write("validation text", right, 14, "right");
  path([[second - 24, 10], [second + 4, 10]], vermilion, 2, [7, 4]);
  diamond(second - 10, 10);
  write("batches", second - 40, 14, "right");
  path([[second - 132, 10], [second - 104, 10]], blue, 1.3);
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
