// How the embedding map looks: colours, shapes, and names where there is room. The functions get a canvas context and pixels.

const COLOURS = { light: ["#0072b2", "#d55e00", "#009e73", "#b8528c", "#000000"], dark: ["#56b4e9", "#f08b3c", "#2fc795", "#e6a3c8", "#ffffff"] };
const PLAIN = { light: "#6b6b6b", dark: "#a0a0a0" }; // words without a group

// Seven shapes; with five colours each of the first 35 groups looks different.
const polygon = (...corners) => (c, x, y, r) => (corners.forEach(([dx, dy], i) => c[i ? "lineTo" : "moveTo"](x + dx * r, y + dy * r)), c.closePath());
const CROSS = [[-1.2, -0.45], [-0.45, -0.45], [-0.45, -1.2], [0.45, -1.2], [0.45, -0.45], [1.2, -0.45], [1.2, 0.45], [0.45, 0.45], [0.45, 1.2], [-0.45, 1.2], [-0.45, 0.45], [-1.2, 0.45]];
const SHAPES = [
  (c, x, y, r) => (c.moveTo(x + r, y), c.arc(x, y, r, 0, 2 * Math.PI)),
  polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
  polygon([0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]),
  polygon([0, -1.2], [1.2, 0.9], [-1.2, 0.9]),
  polygon([0, 1.2], [1.2, -0.9], [-1.2, -0.9]),
  polygon(...CROSS),
  polygon(...CROSS.map(([x, y]) => [0.75 * (x + y), 0.75 * (y - x)])),
];

// The colours of JupyterLab's theme where the widget stands.
function themeOf(root) {
  const { ink, paper, dark, font } = paperOf(root);
  const name = dark ? "dark" : "light";
  return { ink, paper, plain: PLAIN[name], colours: COLOURS[name], font };
}

// Points [x, y] in the shape of a group; `group` -1 for words without one.
function drawMarks(context, look, group, points, r) {
  context.fillStyle = group < 0 ? look.plain : look.colours[group % look.colours.length];
  context.beginPath();
  for (const [x, y] of points) SHAPES[Math.max(0, group) % SHAPES.length](context, x, y, r);
  context.fill();
}

function drawRings(context, points, r, dash = []) {
  context.setLineDash(dash);
  context.beginPath();
  for (const [x, y] of points) SHAPES[0](context, x, y, r);
  context.stroke();
  context.setLineDash([]);
}

// Boxes that do not overlap, found through a grid of cells.
function freeSpace() {
  const cells = new Map();
  const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  function* around([x0, y0, x1, y1]) {
    for (let i = Math.floor(x0 / 50); i <= Math.floor(x1 / 50); i++) for (let j = Math.floor(y0 / 50); j <= Math.floor(y1 / 50); j++) yield `${i},${j}`;
  }
  return {
    take: (box) => [...around(box)].forEach((key) => cells.get(key)?.push(box) ?? cells.set(key, [box])),
    has: (box) => [...around(box)].every((key) => !cells.get(key)?.some((other) => overlap(box, other))),
  };
}

// Names [text, x, y, bold] in the order given, each beside its point where neither a name nor a mark stands; the first one always.
function drawNames(context, look, names, marks, width) {
  const space = freeSpace();
  for (const [x, y] of marks) space.take([x - 5, y - 5, x + 5, y + 5]);
  Object.assign(context, { textAlign: "left", lineJoin: "round", strokeStyle: look.paper, fillStyle: look.ink, lineWidth: 4 });
  let font = "";
  names.forEach(([text, x, y, bold], place) => {
    const wanted = `${bold ? "bold 14px" : "13px"} ${look.font}`;
    if (wanted !== font) context.font = font = wanted;
    const wide = context.measureText(text).width;
    const places = [[x + 12, y], [x - 12 - wide, y], [x - wide / 2, y - 19], [x - wide / 2, y + 19]].filter(([left]) => left > 0 && left + wide < width);
    const box = ([left, middle]) => [left - 2, middle - 8, left + wide + 2, middle + 8];
    const at = places.find((each) => space.has(box(each))) ?? (place ? null : places[0]);
    if (!at) return;
    space.take(box(at));
    context.strokeText(text, at[0], at[1] + 5); // a halo: names stay readable over points
    context.fillText(text, at[0], at[1] + 5);
  });
}
