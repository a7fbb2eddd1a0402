// What is chosen in the explorer, and how one moves in it. `changed(what)` is told of each change; panels then draw it.

const START = { kind: 0, layer: 0, head: 0, query: null, key: null, pinned: false, sampling: UNSHAPED, filter: UNFILTERED, hide: [], large: false, open: [], off: [], instead: "zero", mix: "mean" };
const CELL = { head: true }; // what has to be drawn anew
const ALL = { reading: true, head: true, settings: true };

// Of a given view what belongs to the state; what it does not name is as at the start.
const known = (view) => Object.fromEntries(Object.keys(START).map((name) => [name, view?.[name] ?? START[name]]));

function explorerState(readOnly, changed) {
  const app = {
    reading: null,
    readOnly, // a saved page: what is not there cannot be asked for
    state: { ...START },
    revealed: false,
    guess: null, // the key that was chosen while the weights were hidden
    kind: () => app.reading.kinds[app.state.kind],
    row() {
      const weights = app.reading.weights(app.state);
      const { S } = app.kind();
      return weights?.subarray(app.state.query * S, (app.state.query + 1) * S);
    },
    // Whether "weights" or "next" tokens wait to be predicted.
    secret: (what) => app.state.hide.includes(what) && !app.revealed,

    // Settings that do not move the cell.
    set(settings) {
      Object.assign(app.state, settings);
      if (!settings.hide) return changed({ settings: true });
      conceal();
      app.state.key = null; // a pinned pair would tell the strongest
      app.fit();
      changed(ALL);
    },
    reveal() {
      if (!app.state.hide.length || app.revealed) return;
      app.revealed = app.state.pinned = true;
      if (app.guess === null) app.state.key = best();
      changed(ALL);
    },
    chooseHead(layer, head, kind = app.state.kind) {
      conceal();
      Object.assign(app.state, { layer, head, kind });
      if (app.secret("weights")) app.state.key = null;
      app.fit();
      changed(app.state.hide.length ? ALL : CELL);
    },
    // A cell: a query without a key goes with its strongest one.
    move(cell) {
      const { state } = app;
      const covers = cell.query !== undefined && cell.query !== state.query && app.revealed;
      if (cell.query !== undefined && cell.query !== state.query) conceal();
      Object.assign(state, cell);
      if (cell.key === undefined) state.key = best();
      else if (app.secret("weights")) app.guess = cell.key;
      changed(covers ? ALL : {});
    },
    hover(cell) {
      if (!app.state.pinned && !isAt(cell)) app.move(cell);
    },
    press(cell) {
      const same = isAt(cell);
      app.state.pinned = !(app.state.pinned && same);
      if (same && cell.key === undefined) changed({});
      else app.move(cell);
    },
    pinKey({ key }) {
      if (!["Enter", " ", "Escape"].includes(key)) return false;
      app.state.pinned = key !== "Escape" && !app.state.pinned;
      changed({});
      return true;
    },

    // Keep what is chosen within the reading.
    fit() {
      const { state } = app;
      state.kind = Math.min(state.kind, app.reading.kinds.length - 1);
      const { T, S, layers, heads } = app.kind();
      state.layer = Math.min(state.layer, layers - 1);
      state.head = Math.min(state.head, heads - 1);
      state.query = Math.min(state.query ?? Infinity, T - 1);
      if (!state.pinned || state.key === null || state.key >= S) state.key = best();
    },
    // A new text: as long as nothing is pinned, the last position, for what comes next while one types.
    take(reading) {
      app.reading = reading;
      conceal();
      if (!app.state.pinned) app.state.query = null;
      if (app.secret("weights")) app.state.key = null; // that of the last text may be the strongest here too
    },
    // A view that was given: of Python, or of a preset.
    apply(view) {
      Object.assign(app.state, known(view));
      conceal();
      app.fit();
      changed(ALL);
    },
  };

  const isAt = (cell) => Object.entries(cell).every(([name, value]) => app.state[name] === value);

  function conceal() {
    [app.revealed, app.guess] = [false, null];
  }

  // The strongest key; one that tells nothing where that is to be predicted.
  function best() {
    const { query } = app.state;
    if (app.secret("weights")) return app.kind().own ? query : 0;
    return app.row() ? strongest(app.row(), reach(app.kind(), query))[0] : 0;
  }

  return app;
}

// What the chosen token looks at, in words; or what is to be predicted.
function sentence({ state, row, kind, readOnly, guess, revealed, secret }) {
  const { queries, keys } = kind;
  const n = reach(kind, state.query);
  const name = named(queries[state.query], state.query);
  if (secret("weights")) return `Predict: which token does ${name} look at most? Choose it among those that are looked at, then reveal.${guess === null ? "" : ` Your guess: ${named(keys[guess], guess)}.`}`;
  const who = `${state.pinned ? "Pinned: " : ""}${name}`;
  if (!row) return readOnly ? `${who}. This page holds only a small picture of this head.` : who;
  const order = strongest(row, n);
  const top = order.slice(0, 3);
  const rest = 1 - top.reduce((sum, i) => sum + row[i], 0);
  const others = n > top.length ? `; the ${n - top.length} other${n - top.length > 1 ? "s" : ""} together ${percent(Math.max(0, rest))}` : "";
  const place = order.indexOf(guess) + 1;
  const guessed = !revealed || guess === null ? "" : `Your guess, ${named(keys[guess], guess)}, has ${percent(row[guess])}${place ? ` and is number ${place} of ${n}` : ", for it comes later"}. `;
  return `${guessed}${who} looks at ${top.map((i) => `${named(keys[i], i)} ${percent(row[i])}`).join(", ")}${others}.`;
}
