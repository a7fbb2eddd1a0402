// The training dashboard's chart: losses against steps, baselines, and below them the learning rate.

const LOOKS = { light: ["#0072b2", "#b34700"], dark: ["#56b4e9", "#f08b3c"] }; // batches, validation text

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

const lesser = (a, b) => Math.min(a, b);
const greater = (a, b) => Math.max(a, b);

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
  const key = width < 480 ? 34 : 14; // where the key has room
  const [left, right, top, bottom] = [56, width - 12, key + 12, height - 118]; // of the losses
  const [rateTop, rateBottom] = [height - 78, height - 38];
  const seen = [data.loss, data.val_loss, Object.values(baselines)].flat().filter((y) => y !== null);
  const [least, most] = seen.length ? [seen.reduce(lesser), seen.reduce(greater)] : [0, 1];
  const margin = 0.06 * (most - least || 1);
  const [low, high] = [least - margin, most + margin];
  const toX = (x) => left + ((right - left) * x) / steps;
  const toY = (y) => bottom - ((bottom - top) * (y - low)) / (high - low);
  const peak = data.lr.reduce(greater, 1e-300);
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

  const second = right - 116;
  write("validation text", right, key, "right");
  path([[second - 24, key - 4], [second + 4, key - 4]], vermilion, 2, [7, 4]);
  diamond(second - 10, key - 4);
  write("batches", second - 40, key, "right");
  path([[second - 132, key - 4], [second - 104, key - 4]], blue, 1.3);
}
