// Embedding map. Points, groups and search live here; a word that is chosen goes to Python, and its neighbours come back in `state`.

const SPAN = 10000; // the map's coordinates, from −SPAN to SPAN
const REACH = 14; // pixels around a point that count as on it
const NAMES = 60; // of words without a group: that many on the whole map, more when zoomed in
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function render({ model, el: host }) {
  const { words, x, y, groups, title, axes, warning } = model.get("data");
  const root = frameOf(host, title);
  root.classList.add("lm-wide");
  const button = (text, label, onclick) => el("button", { class: "lm-button", type: "button", text, title: label, "aria-label": label, onclick });
  const search = el("input", { class: "lm-search", type: "search", placeholder: "search a word", "aria-label": "Search a word; Enter goes to the first that matches", spellcheck: "false" });
  const found = el("span", { "aria-live": "polite" });
  const controls = el("div", { class: "lm-row" }, search, found, button("+", "Zoom in", () => zoom(1.5)), button("−", "Zoom out", () => zoom(1 / 1.5)), button("whole map", "Show the whole map", whole));
  const legend = el("div", { class: "lm-row", role: "group", "aria-label": "Groups; press one to hide or show it" });
  const canvas = el("canvas", { class: "lm-map", tabindex: "0", role: "application", "aria-label": `Map of ${words.length} words. Arrow keys move from word to word, Enter shows a word's neighbours, plus and minus zoom, 0 shows the whole map, shift with an arrow moves it.` });
  const across = (i, before, after = "") => el("div", { class: "lm-axis lm-muted", text: axes.length ? before + axes[i] + after : "" });
  const status = el("div", { class: "lm-status", "aria-live": "polite" });
  const caption = el("caption", {});
  const rows = el("tbody", {});
  const head = el("thead", {}, el("tr", {}, ...["word", "cosine", "on the map"].map((text) => el("th", { scope: "col", text }))));
  const waiting = el("div", { class: "lm-waiting", role: "status" });
  const side = el("div", { class: "lm-side" }, el("table", { class: "lm-neighbours" }, caption, head, rows), waiting);
  const help = "Click a word, or go to it with the arrow keys and press Enter, to see its nearest neighbours; “on the map” counts which nearest each is in the picture. Drag to move; + − 0, or the wheel once the map has been clicked, zoom.";
  root.append(el("b", { text: title }), controls, legend, el("div", { class: "lm-map-row" }, el("div", { class: "lm-map-box" }, across(1, "↑ "), canvas, across(0, "", " →"), status), side), el("div", { text: warning }), el("div", { class: "lm-muted", text: help }));

  const memberOf = words.map(() => []); // the groups of each word; groups.length stands for none
  groups.forEach(({ members }, group) => members.forEach((i) => memberOf[i].push(group)));
  memberOf.forEach((of) => of.length || of.push(groups.length));
  const on = [...groups, null].map(() => true); // the groups that are shown
  let groupOf = []; // the first of a word's groups that is shown, or undefined
  let hits = []; // of the search
  let selected = -1;
  let near = []; // its neighbours
  let cursor = -1; // the word that the keyboard or the mouse is on
  let view = { zoom: 1, x: 0, y: 0 }; // x, y: what is in the middle
  let [width, height] = [0, 0];
  let asked = 0;
  let queued = false;
  const wait = patience(waiting, () => model.get("state").revision > asked);
  const isShown = (i) => groupOf[i] !== undefined || i === selected || near.includes(i);

  function choose(i) {
    asked = model.get("state").revision;
    wait.send(model, { type: "select", id: i });
    pointAt(i);
  }

  function pointAt(i) {
    cursor = i;
    const names = memberOf[i].filter((group) => groups[group]).map((group) => groups[group].name);
    status.textContent = words[i] + (names.length ? ` (${names.join(", ")})` : "");
    redraw();
  }

  function goTo(i) {
    if (!within(screen(i), 15)) view = { ...view, x: x[i], y: y[i] };
    pointAt(i);
  }

  function find() {
    const query = search.value.trim().toLowerCase().replaceAll(" ", "␣"); // as in `words`
    const rank = (i) => { const word = words[i].toLowerCase(); return word === query ? 0 : word.startsWith(query) ? 1 : 2; };
    hits = [...words.keys()].filter((i) => query && words[i].toLowerCase().includes(query)).sort((a, b) => rank(a) - rank(b) || a - b);
    found.textContent = query ? `${hits.length} of ${words.length} words match` : "";
    redraw();
  }

  // ---- the plane

  const scale = () => (Math.min(width, height) / (2.12 * SPAN)) * view.zoom;
  const screen = (i) => [width / 2 + (x[i] - view.x) * scale(), height / 2 - (y[i] - view.y) * scale()];
  const within = ([px, py], margin) => px > margin && py > margin && px < width - margin && py < height - margin;

  function pan(dx, dy) {
    const limit = (value) => Math.max(-SPAN, Math.min(value, SPAN));
    view = { ...view, x: limit(view.x + dx), y: limit(view.y - dy) };
    redraw();
  }

  // What is at this point of the canvas stays there.
  function zoom(factor, [px, py] = cursor < 0 ? [width / 2, height / 2] : screen(cursor)) {
    const before = scale();
    view.zoom = Math.max(0.5, Math.min(view.zoom * factor, 200));
    const shift = 1 / before - 1 / scale();
    pan((px - width / 2) * shift, (py - height / 2) * shift);
  }

  function whole() {
    view = { zoom: 1, x: 0, y: 0 };
    redraw();
  }

  // The shown word for which `away(px, py)` is least, or -1.
  function closest(away) {
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < words.length; i++) {
      const distance = away(...screen(i), i);
      if (distance < least && isShown(i)) [best, least] = [i, distance];
    }
    return best;
  }

  const under = (event) => closest((px, py) => { const away = Math.hypot(px - event.offsetX, py - event.offsetY); return away > REACH ? Infinity : away; });

  // The nearest word within 45 degrees of a direction; from no word, the one nearest to the middle.
  function move([dx, dy]) {
    const [cx, cy] = cursor < 0 ? [width / 2, height / 2] : screen(cursor);
    const next = closest((px, py, i) => {
      const along = (px - cx) * dx + (py - cy) * dy;
      const across = Math.abs((px - cx) * dy + (py - cy) * dx);
      return i === cursor || (cursor >= 0 && (along <= 0 || across > along)) ? Infinity : Math.hypot(along, across);
    });
    if (next >= 0) goTo(next);
  }

  // ---- drawing

  function redraw() {
    if (!queued) requestAnimationFrame(draw);
    queued = true;
  }

  function draw() {
    queued = false;
    [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return; // scrolled away
    const look = themeOf(root);
    [...legend.children].forEach((key, group) => drawMarks(cleared(key.firstChild, 18, 18), look, groups[group] ? group : -1, [[9, 9]], groups[group] ? 6 : 3));
    const paint = cleared(canvas, width, height);
    const inside = [...words.keys()].filter((i) => isShown(i) && within(screen(i), -12));
    const ofGroup = (group) => inside.filter((i) => (groupOf[i] ?? groups.length) === group).map(screen);
    drawMarks(paint, look, -1, ofGroup(groups.length), 2 + Math.min(2, Math.log2(view.zoom + 1) / 2));
    groups.forEach((_, group) => drawMarks(paint, look, group, ofGroup(group), 5));
    paint.strokeStyle = look.ink;
    paint.beginPath();
    for (const i of near) paint.moveTo(...screen(selected)), paint.lineTo(...screen(i));
    paint.stroke();
    drawRings(paint, hits.map(screen), hits.length > 50 ? 4 : 8, hits.length > 50 ? [] : [3, 2]);
    paint.lineWidth = 2;
    drawRings(paint, near.map(screen), 9);
    if (selected >= 0) [9, 13].forEach((r) => drawRings(paint, [screen(selected)], r));
    if (cursor >= 0) paint.strokeRect(screen(cursor)[0] - 12, screen(cursor)[1] - 12, 24, 24);

    const important = [cursor, selected, ...near, ...hits.slice(0, 100)].filter((i) => i >= 0);
    const bold = new Set(important);
    const others = inside.filter((i) => groupOf[i] === groups.length).slice(0, NAMES * view.zoom);
    const named = new Set([...important, ...inside.filter((i) => groupOf[i] < groups.length), ...others]);
    const names = [...named].filter((i) => within(screen(i), 0)).map((i) => [words[i], ...screen(i), bold.has(i)]);
    const marks = inside.filter((i) => bold.has(i) || groupOf[i] < groups.length).map(screen);
    drawNames(paint, look, names, marks, width);
  }

  function toggle(group) {
    on[group] = !on[group];
    regroup();
  }

  function regroup() {
    groupOf = memberOf.map((of) => of.find((group) => on[group]));
    [...legend.children].forEach((key, group) => key.setAttribute("aria-pressed", String(on[group])));
    redraw();
  }

  function drawTable(state) {
    while (rows.childElementCount < state.rows.length) {
      const place = rows.childElementCount; // rows are reused: the focus stays
      const word = el("button", { class: "lm-word", type: "button", onclick: () => (goTo(near[place]), choose(near[place])) });
      rows.append(el("tr", {}, el("td", {}, word), el("td", {}), el("td", {})));
    }
    while (rows.childElementCount > state.rows.length) rows.lastElementChild.remove();
    state.rows.forEach(([i, cosine, rank], place) => {
      const [word, second, third] = rows.children[place].children;
      word.firstChild.textContent = word.firstChild.title = words[i];
      second.textContent = cosine;
      third.textContent = `${rank}.`;
    });
    caption.textContent = state.message;
    head.hidden = !state.rows.length;
  }

  // ---- keys and pointer

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction && event.shiftKey) pan(...direction.map((each) => (each * 60) / scale()));
    else if (direction) move(direction);
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") whole();
    else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) choose(cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" || !hits.length) return;
    canvas.focus();
    goTo(hits[0]);
  });

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { from: [event.offsetX, event.offsetY], moved: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = [event.offsetX, event.offsetY];
    if (!drag) {
      const over = under(event);
      canvas.style.cursor = over < 0 ? "grab" : "pointer";
      if (over >= 0 && over !== cursor) pointAt(over);
    } else if (drag.moved || Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > 4) {
      pan((drag.from[0] - at[0]) / scale(), (drag.from[1] - at[1]) / scale());
      drag = { from: at, moved: true };
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const over = drag && !drag.moved ? under(event) : -1;
    drag = null;
    if (over >= 0) choose(over);
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  const wheel = (event) => {
    if (document.activeElement !== canvas) return; // the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), [event.offsetX, event.offsetY]);
  };
  canvas.addEventListener("wheel", wheel, { passive: false });

  // ---- groups, size, theme, state

  if (groups.length) {
    const none = { name: "no group", members: memberOf.filter(([group]) => group === groups.length) };
    const key = ({ name, members }, group) => el("button", { class: "lm-button lm-legend", type: "button", onclick: () => toggle(group) }, el("canvas", { "aria-hidden": "true" }), el("span", { text: `${name} (${members.length})` }));
    legend.append(...[...groups, none].map(key));
  }
  regroup();
  const unlook = onLook(canvas, redraw); // also when the widget was scrolled away and comes back
  const stop = follow(model, ["state"], () => {
    const state = model.get("state");
    const before = selected;
    wait.stop();
    selected = state.selected ?? -1;
    near = state.rows.map(([i]) => i);
    drawTable(state);
    if (width && selected >= 0 && selected !== before) goTo(selected);
    redraw();
  });
  return () => (stop(), unlook());
}

export default { render };
