// One head, seen from its tokens: as a text with a bar under each token that the chosen one looks at; and in two columns, those that
// look on the left, those that are looked at on the right, with lines from the chosen one to its strongest keys.

const LINES = 10; // at most, and none below 1 %
const LONG = 18; // letters of a name from which on it is cut

const brief = (name) => ([...name].length > LONG ? `${[...name].slice(0, LONG - 1).join("")}…` : name);

// Bars, lines and frames stand on a canvas over the tokens: to change them styles, lays out and paints nothing of the page.
const overlay = () => el("canvas", { class: "lm-over", "aria-hidden": "true" });

// To draw on it anew; where its size has not changed the canvas is only wiped.
function wiped(canvas, width, height, { dark }) {
  const [scale, context] = [window.devicePixelRatio || 1, canvas.getContext("2d")];
  if (canvas.width === Math.round(width * scale) && canvas.height === Math.round(height * scale)) context.clearRect(0, 0, width, height);
  else cleared(canvas, width, height);
  context.fillStyle = context.strokeStyle = dark ? "#56b4e9" : "#0072b2";
  return context;
}

function drawFrame(context, { ink }, thick, x, y, width, height) {
  Object.assign(context, { strokeStyle: ink, lineWidth: thick });
  context.strokeRect(x + thick / 2, y + thick / 2, width - thick, height - thick);
}

// A list's children for these names; those that stand where they stood stay, so that typing builds little anew.
function renew(list, names, make) {
  names.forEach((name, i) => {
    const old = list.children[i];
    if (old?.stands === name) return;
    const made = make(name, i);
    made.stands = name;
    if (old) old.replaceWith(made);
    else list.append(made);
  });
  while (list.childElementCount > names.length) list.lastChild.remove();
}

function tokenColumns(app) {
  const id = someName();
  const list = (label) => el("div", { class: "lm-column", tabindex: "0", role: "listbox", "aria-label": label });
  const left = list("Tokens that look, the queries; up and down choose one, Enter pins it");
  const right = list("Tokens that are looked at, the keys; up and down choose one, Enter pins the pair");
  const between = div("lm-lines"); // where the lines are
  const box = div("lm-rows", left, between, right);
  const over = overlay(); // over what is in sight of them
  const title = el("b", {});
  const heading = div("lm-look-heading lm-small", el("span", { text: "looks (query)" }), el("span", { text: "is looked at (key)" }));
  const note = div("lm-muted lm-small");
  const node = el("section", { class: "lm-panel lm-grow" }, title, heading, div("lm-look", box, over), note);
  let height = 20; // of a row
  let built = null; // the tokens that the rows are for
  let told = []; // what they say
  let write = null; // says it
  let paint = null; // bars, lines and frames
  let [top, room, pending] = [0, 0, null]; // what of the box is in sight, kept here because asking for it lays out the page
  let [start, end, wide] = [0, 0, 0]; // of the lines, and the box's width
  new ResizeObserver(() => {
    [room, wide, start, top] = [box.clientHeight, box.clientWidth, between.offsetLeft, box.scrollTop];
    end = start + between.offsetWidth;
    Object.assign(over.style, { width: `${wide}px`, height: `${room}px` });
    paint?.();
  }).observe(box);
  box.addEventListener("scroll", () => {
    top = box.scrollTop;
    paint?.();
    pending?.();
  });

  function build(kind) {
    height = kind.T > 24 ? 18 : 22;
    box.style.setProperty("--row", `${height}px`);
    const row = (at, name, i, ...more) => el("div", { class: "lm-look-row", role: "option", id: `${id}-${at}-${i}`, "data-i": i }, el("span", { class: "lm-small lm-muted", text: i }), el("bdi", { class: "lm-token", text: brief(name), title: name }), ...more);
    renew(left, kind.queries, (name, i) => row(0, name, i));
    renew(right, kind.keys, (name, i) => {
      told[i] = null;
      return row(1, name, i, el("span", { class: "lm-percent", text: " " }));
    });
    between.style.height = `${height * Math.max(kind.T, kind.S)}px`;
  }

  const at = (event) => Number(event.target.closest?.("[data-i]")?.dataset.i ?? -1);
  for (const [rows, cell] of [[left, (i) => ({ query: i })], [right, (i) => ({ key: i })]]) {
    rows.addEventListener("mouseover", (event) => at(event) >= 0 && app.hover(cell(at(event))));
    rows.addEventListener("click", (event) => at(event) >= 0 && app.press(cell(at(event))));
    onKey(rows, (event) => {
      const { query, key } = app.state;
      const [mine, n] = rows === left ? [query, left.childElementCount] : [key, right.childElementCount];
      const to = { ArrowUp: mine - 1, ArrowDown: mine + 1, Home: 0, End: n - 1 }[event.key];
      if (isShortcut(event)) return;
      if (to !== undefined) to >= 0 && to < n && app.move(cell(to));
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") (event.key === "ArrowLeft" ? left : right).focus();
      else if (!app.pinKey(event)) return;
      taken(event);
      inSight(rows === left ? app.state.query : app.state.key);
    });
  }

  // Scroll so that both rows can be seen, where there is room, or else the first.
  function inSight(first, second = first) {
    if (!room) return; // nothing of the box is
    const far = Math.abs(first - second) * height > room - height;
    for (const i of far ? [first] : [second, first]) {
      const to = i * height < top ? i * height : (i + 1) * height > top + room ? (i + 1) * height - room : top;
      if (to !== top) box.scrollTop = top = to;
    }
  }

  function draw({ reading, state: { ...state }, row, shown, hidden, look }, what) {
    const kind = reading.kinds[state.kind];
    const isLeft = (i) => !shown || shown[state.query * kind.S + i]; // by the filter
    const tokens = `${state.kind}\n${kind.queries.join("\n")}\n\n${kind.keys.join("\n")}`;
    if (tokens !== built) build(kind);
    const n = reach(kind, state.query);
    const say = (i) => (i >= n ? "masked" : !row ? (hidden ? "?" : "…") : isLeft(i) ? percent(row[i]) : `(${percent(row[i])})`);
    left.setAttribute("aria-activedescendant", `${id}-0-${state.query}`);
    right.setAttribute("aria-activedescendant", `${id}-1-${state.key}`);
    box.classList.toggle("lm-pinned", state.pinned);
    const lines = lined(row, n, shown && isLeft);
    paint = () => room && drawOver(row, n, isLeft, lines, state, look);
    paint();
    built = tokens;
    const whole = what.reading || !room;
    write = () => {
      mark(left, state.query);
      mark(right, state.key);
      put(title, `Layer ${state.layer}, head ${state.head}: where ${named(kind.queries[state.query], state.query)} looks`);
      put(note, shown ? "Lines: the weights that the filter shows, those in brackets are hidden; the thicker, the more." : lineNote(row, n));
      const [from, to] = whole ? [0, kind.S] : [Math.max(0, Math.floor(top / height) - 2), Math.min(kind.S, Math.ceil((top + room) / height) + 2)];
      clearTimeout(pending?.timer);
      writeRows(from, to, say);
      pending = () => {
        clearTimeout(pending.timer);
        pending = null;
        writeRows(0, kind.S, say);
      };
      pending.timer = setTimeout(pending, 200); // those out of sight, when there is time
    };
  }

  // Numbers and words: they have to be laid out.
  function rest() {
    write?.();
    write = null;
    if (!box.matches(":hover")) inSight(app.state.query, app.state.key); // what is under the mouse stays there
  }

  function writeRows(from, to, say) {
    for (let i = from; i < to; i++) {
      const [said, row] = [say(i), right.children[i]];
      if (told[i] === said) continue;
      row.lastChild.firstChild.data = said;
      if ((told[i] === "masked") !== (said === "masked")) row.classList.toggle("lm-ahead", said === "masked");
      told[i] = said;
    }
  }

  // The keys that get a line, the strongest first.
  function lined(row, n, isLeft) {
    if (!row) return [];
    return isLeft ? strongest(row, n).filter(isLeft) : strongest(row, n).slice(0, LINES).filter((i) => row[i] >= 0.01);
  }

  function lineNote(row, n) {
    const drawn = lined(row, n);
    const rest = Math.max(0, 1 - drawn.reduce((sum, i) => sum + row[i], 0));
    return `Lines: at most ${LINES}, from a weight of 1 %; the thicker, the more.${row ? ` Without a line: ${n - drawn.length} of ${n}, together ${percent(n > drawn.length ? rest : 0)}.` : ""}`;
  }

  function drawOver(row, n, isLeft, lines, { query, key, pinned }, look) {
    const context = wiped(over, wide, room, look);
    const middle = (i) => (i + 0.5) * height;
    const from = end + 33; // of the bars: a position's number stands before them
    context.save();
    context.translate(0, -top);
    for (let i = 0; row && i < n; i++) if (isLeft(i)) context.fillRect(from, height * (i + 1) - 3, (wide - from) * row[i], 3);
    context.lineCap = "round";
    for (const i of lines) {
      context.lineWidth = 0.8 + 9 * row[i];
      context.strokeStyle = i === key ? look.ink : context.fillStyle;
      context.beginPath();
      context.moveTo(start, middle(query));
      context.bezierCurveTo((start + end) / 2, middle(query), (start + end) / 2, middle(i), end, middle(i));
      context.stroke();
    }
    drawFrame(context, look, pinned ? 2 : 1, 0, height * query, start, height);
    drawFrame(context, look, 1, end, height * key, wide - end, height);
    context.restore();
  }

  return { node, draw, rest };
}

// The tokens that are looked at, as a text. Where they are those that look too, pointing at one chooses it as the query.
function tokenFlow(app) {
  const id = someName();
  const list = el("div", { class: "lm-flow", tabindex: "0", role: "listbox" });
  const node = panelOf(list, div("lm-muted lm-small"));
  const over = overlay();
  let [built, places, draws, write] = [null, null, null, null]; // places: of the tokens, [x, y, width]
  let [wide, tall] = [0, 0]; // of all tokens together

  const mine = () => (app.kind().own ? "query" : "key");
  const at = (event) => Number(event.target.closest?.("[data-i]")?.dataset.i ?? -1);
  list.addEventListener("mouseover", (event) => at(event) >= 0 && app.hover({ [mine()]: at(event) }));
  list.addEventListener("click", (event) => at(event) >= 0 && app.press({ [mine()]: at(event) }));
  onKey(list, (event) => {
    if (isShortcut(event)) return;
    const [now, last] = [app.state[mine()], list.childElementCount - 2];
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) to >= 0 && to <= last && app.move({ [mine()]: to });
    else if (!app.pinKey(event)) return;
    taken(event);
  });

  function draw(seen, what) {
    const { reading, state, row, shown } = seen;
    const kind = reading.kinds[state.kind];
    const tokens = `${kind.own}\n${kind.keys.join("\n")}`;
    if (tokens !== built) {
      over.remove();
      renew(list, kind.keys, (name, i) => el("span", { class: name.length > LONG ? "lm-flow-token lm-long" : "lm-flow-token", role: "option", id: `${id}-${i}`, "data-i": i }, el("bdi", { text: name })));
      list.append(over);
      list.setAttribute("aria-label", kind.own ? "The text in tokens; left and right choose the one that looks, Enter pins it" : "The tokens that are looked at; left and right choose one, Enter pins the pair");
      node.lastChild.textContent = kind.own ? "The bar under a token: how much the framed token looks at it." : "The bar under a token: how much the token chosen below looks at it.";
      [built, places] = [tokens, null];
    }
    const n = reach(kind, state.query);
    const isLeft = (i) => !shown || shown[state.query * kind.S + i]; // by the filter
    if (what.reading || what.look || what.settings) places = null;
    const [chosen, thick] = [state[mine()], state.pinned ? 2 : 1];
    draws = () => {
      const context = wiped(over, wide, tall, seen.look);
      for (let i = 0; row && i < n; i++) {
        if (!isLeft(i)) continue;
        const root = Math.sqrt(row[i]);
        context.globalAlpha = 0.4 + 0.2 * Math.min(3, Math.floor(4 * root));
        context.fillRect(...places[i], 12 * root);
      }
      context.globalAlpha = 1;
      const [x, y, width] = places[chosen];
      drawFrame(context, seen.look, thick, x, y - 21, width, 35);
    };
    if (places) draws();
    write = () => {
      mark(list, chosen);
      kind.keys.forEach((_, i) => {
        const said = i >= n ? "masked: comes later" : !row ? "not known yet" : isLeft(i) ? percent(row[i]) : `hidden: ${percent(row[i])}`;
        if (list.children[i].title !== said) list.children[i].title = said;
      });
    };
    list.classList.toggle("lm-pinned", state.pinned);
    list.setAttribute("aria-activedescendant", `${id}-${state[mine()]}`);
  }

  // Where the tokens stand: asked for before anything else is drawn, since what is laid out already costs nothing.
  function measure() {
    if (!places && list.clientWidth) {
      places = [...list.children].slice(0, -1).map((token) => [token.offsetLeft, token.offsetTop + 21, token.offsetWidth]);
      [wide, tall] = [list.clientWidth, Math.max(...places.map(([, y]) => y + 14))];
      Object.assign(over.style, { width: `${wide}px`, height: `${tall}px` });
      draws();
    }
  }

  function rest() {
    measure();
    write?.();
    write = null;
  }

  return { node, draw, measure, rest };
}
