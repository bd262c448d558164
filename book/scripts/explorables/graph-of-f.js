/* The graph of f(x, y) = x·x + 2·x·y + y·y: x, y and a step between the first value and the last derivative, to be chosen.

   What is computed is `GraphOfF`, by itself; a test compares it with the engine of the chapter. The drawing is that of the page:
   without this script it shows x = 3 and y = 1, computed to the end. */
"use strict";

window.GraphOfF = (() => {
  const NODES = ["x", "y", "a", "b", "d", "c", "e", "f"]; // each after those it was made from
  const MADE = {
    a: { words: "x·x", of: (at) => at.x * at.x, parents: (at) => [["x", at.x], ["x", at.x]] },
    b: { words: "x·y", of: (at) => at.x * at.y, parents: (at) => [["x", at.y], ["y", at.x]] },
    d: { words: "y·y", of: (at) => at.y * at.y, parents: (at) => [["y", at.y], ["y", at.y]] },
    c: { words: "2·b", of: (at) => 2 * at.b, parents: () => [["b", 2]] },
    e: { words: "a + c", of: (at) => at.a + at.c, parents: () => [["a", 1], ["c", 1]] },
    f: { words: "e + d", of: (at) => at.e + at.d, parents: () => [["e", 1], ["d", 1]] },
  };
  const BACK = ["f", "e", "c", "d", "a", "b"]; // each before those it was made from
  const STEPS = NODES.length + BACK.length;

  /* What is known after some steps: {values, gradients, flows, done}; a flow is a list, for a parent that is used twice. */
  function after(steps, x, y) {
    const known = { values: {}, gradients: {}, flows: {}, done: null };
    for (const node of NODES.slice(0, steps)) {
      known.values[node] = node in MADE ? MADE[node].of(known.values) : { x, y }[node];
      known.done = node;
    }
    for (const node of BACK.slice(0, Math.max(0, steps - NODES.length))) {
      if (node === "f") known.gradients.f = 1;
      for (const [parent, slope] of MADE[node].parents(known.values)) {
        const flow = known.gradients[node] * slope;
        known.gradients[parent] = (known.gradients[parent] ?? 0) + flow;
        (known.flows[`${node}-${parent}`] ??= []).push(flow);
      }
      known.done = node;
    }
    return known;
  }

  return { NODES, MADE, STEPS, after };
})();

(() => {
  const { NODES, MADE, STEPS, after } = window.GraphOfF;
  const box = document.getElementById("explore-graph-of-f");
  if (!box) return;
  const drawing = box.querySelector("svg");
  const number = (value) => String(value === 0 ? 0 : value).replace("-", "−");

  function slider(name, label, least, most, step, start) {
    const input = Object.assign(document.createElement("input"), { type: "range", min: least, max: most, step });
    const shown = document.createElement("output");
    const words = document.createElement("label");
    input.value = start;
    input.dataset.name = name;
    input.addEventListener("input", show);
    words.append(label, input);
    return { input, shown, whole: [words, shown] };
  }

  const x = slider("x", "x", -3, 3, 0.5, 3);
  const y = slider("y", "y", -3, 3, 0.5, 1);
  const step = slider("step", "step", 0, STEPS, 1, STEPS);
  const fields = Object.assign(document.createElement("div"), { className: "explorable-fields" });
  const words = Object.assign(document.createElement("p"), { className: "explorable-words" });
  words.setAttribute("aria-live", "polite");
  for (const { whole } of [x, y, step]) {
    const pair = Object.assign(document.createElement("div"), { className: "explorable-field" });
    pair.append(...whole);
    fields.append(pair);
  }
  box.append(fields, words);

  function told(steps, known) {
    const { values, gradients, flows, done } = known;
    if (steps === 0) return "Move “step” to the right: first the values are computed, then the derivatives.";
    if (steps === STEPS) {
      const [sum, f] = [2 * (values.x + values.y), values.f].map(number);
      return `x = ${number(values.x)} and y = ${number(values.y)} give f = ${f}. Both derivatives are 2·(x + y) = ${sum}.`;
    }
    if (steps <= NODES.length) {
      const made = done in MADE ? ` = ${MADE[done].words}` : "";
      return `Forwards: ${done}${made} = ${number(values[done])}.`;
    }
    const parents = [...new Set(MADE[done].parents(values).map(([parent]) => parent))];
    const passed = parents.map((parent) => {
      const [first, again] = flows[`${done}-${parent}`];
      return `${number(first)} to ${parent}${again === undefined ? "" : ", twice, for it is used twice"}`;
    });
    const totals = parents.map((parent) => `${parent} has ${number(gradients[parent])} now`);
    return `Backwards: ${done} has the derivative ${number(gradients[done])} and passes ${passed.join(" and ")}: ${totals.join(", ")}.`;
  }

  function show() {
    const [steps, at] = [Number(step.input.value), [Number(x.input.value), Number(y.input.value)]];
    const known = after(steps, ...at);
    for (const node of NODES) {
      const { [node]: value } = known.values;
      const { [node]: gradient } = known.gradients;
      drawing.querySelector(`[data-value="${node}"]`).textContent = value === undefined ? "" : number(value);
      drawing.querySelector(`[data-gradient="${node}"]`).textContent = gradient === undefined ? "" : number(gradient);
      const frame = drawing.querySelector(`[data-node="${node}"] rect`);
      frame.setAttribute("stroke-width", steps > 0 && steps < STEPS && node === known.done ? 3 : 1);
    }
    for (const label of drawing.querySelectorAll("[data-flow]")) {
      const [first, again] = known.flows[label.dataset.flow] ?? [];
      const sum = again === undefined ? "" : ` ${again < 0 ? "−" : "+"} ${number(Math.abs(again))}`;
      label.textContent = first === undefined ? "" : number(first) + sum;
    }
    x.shown.textContent = number(at[0]);
    y.shown.textContent = number(at[1]);
    step.shown.textContent = `${steps} of ${STEPS}`;
    words.textContent = told(steps, known);
    drawing.setAttribute("aria-label", `The graph of f(x, y) = x·x + 2·x·y + y·y. ${words.textContent}`);
  }

  show();
})();
