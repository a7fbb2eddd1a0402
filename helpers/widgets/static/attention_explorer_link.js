// What the explorer asks Python for: what of a reading the page does not hold, and readings under another condition. One question
// at a time; the last choice counts.

function pythonLink(model, app, waiting) {
  let asked = null; // the message that Python has not answered
  let timer = null;
  const id = someName(); // of this view: what it says does not come back to it
  const wait = patience(waiting, () => asked === null);

  // The head in single precision, and, of a large vocabulary, a position's scores.
  function missing() {
    const { kind, layer, head, query, sampling } = app.state;
    if (!app.reading.exact(app.state)) return { type: "head", kind, layer, head };
    if (isShaping(sampling) && app.kind().predicts && !app.reading.logits(query)) return { type: "position", position: query };
    return null;
  }

  const link = {
    isAsking: () => asked !== null,
    ask() {
      const message = asked || app.readOnly ? null : missing();
      if (message) link.request(message);
    },
    request(message) {
      asked = message;
      wait.send(model, message);
    },
    settle() {
      asked = null;
      wait.stop();
    },
    // Which of the answers is for what was asked.
    settleHead({ kind, layer, head }) {
      if (asked?.type === "head" && asked.kind === kind && asked.layer === layer && asked.head === head) link.settle();
    },
    settleIf(type) {
      if (asked?.type === type) link.settle();
    },
    // Python knows the view, a moment after it was last changed.
    tell() {
      if (app.readOnly || timer) return;
      timer = setTimeout(() => {
        timer = null;
        model.set("view", { ...app.state, by: id });
        model.save_changes();
      }, 200);
    },
    stop: () => clearTimeout(timer),
  };
  return link;
}
