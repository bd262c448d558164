/* Below the picture of XOR: two networks side by side, 2-2-1 and one hidden unit with a skip. Their weights are moved by sliders, drawn
   afresh or trained by plain gradient descent, step for step what the chapter's PyTorch code does; a test keeps the two equal. */
"use strict";

(() => {
  const TARGETS = [-1, 1, 1, -1];
  const CODINGS = { "±1": [-1, 1], "0 and 1": [0, 1] };
  const LIMIT = 6; // of the sliders; training may lead beyond, and the number shows it
  const SIDE = 41; // places along the side of the map

  const cornersOf = ([low, high]) => [[low, low], [low, high], [high, low], [high, high]];

  /* A network is {skip, w: [[2 numbers] for each hidden unit], b, v, c}; v has a weight for each hidden unit, then for each input. */
  function forward({ skip, w, b, v, c }, point) {
    const hidden = w.map((row, i) => Math.tanh(row[0] * point[0] + row[1] * point[1] + b[i]));
    const read = skip ? [...hidden, ...point] : hidden;
    return { hidden, read, output: Math.tanh(read.reduce((sum, value, i) => sum + v[i] * value, c)) };
  }

  function loss(network, corners) {
    return corners.reduce((sum, point, i) => sum + (forward(network, point).output - TARGETS[i]) ** 2, 0) / 4;
  }

  const right = (network, corners) => corners.filter((p, i) => forward(network, p).output * TARGETS[i] > 0).length;

  /* The network after one step of gradient descent on the mean squared error of the four corners. */
  function step(network, corners, rate) {
    const after = structuredClone(network);
    corners.forEach((point, i) => {
      const { hidden, read, output } = forward(network, point);
      const pull = (rate * 2 * (output - TARGETS[i]) * (1 - output ** 2)) / 4;
      after.c -= pull;
      read.forEach((value, k) => (after.v[k] -= pull * value));
      hidden.forEach((h, k) => {
        const back = pull * network.v[k] * (1 - h ** 2);
        after.b[k] -= back;
        point.forEach((x, j) => (after.w[k][j] -= back * x));
      });
    });
    return after;
  }

  function train(network, corners, rate, steps) {
    for (let done = 0; done < steps; done += 1) network = step(network, corners, rate);
    return network;
  }

  /* Numbers from 0 to 1, always the same for one seed. */
  function randomOf(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /* A start by Glorot's rule, with biases of zero, as Keras draws it. */
  function fresh(skip, seed) {
    const random = randomOf(seed);
    const draw = (ins, outs) => (2 * random() - 1) * Math.sqrt(6 / (ins + outs));
    const units = skip ? 1 : 2;
    const reads = skip ? 3 : 2;
    return {
      skip,
      w: Array.from({ length: units }, () => [draw(2, units), draw(2, units)]),
      b: Array(units).fill(0),
      v: Array.from({ length: reads }, () => draw(reads, 1)),
      c: 0,
    };
  }

  window.XorNetworks = { forward, loss, right, step, train, fresh, cornersOf, CODINGS };

  // -------------------------------------------------------------------------------------------------------- the page

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  const field = (text, control) => element("label", { class: "xor-field" }, element("span", {}, text), control);
  const button = (text, click) => element("button", { type: "button", class: "xor-button", click }, text);

  /* The places of a network's numbers: what each is called, how it is read and set. */
  function numbersOf({ skip, w, v }) {
    const list = [];
    w.forEach((row, k) => {
      const unit = w.length > 1 ? `hidden ${k + 1}` : "hidden";
      row.forEach((_, j) => list.push([`${unit}, input ${j + 1}`, (n) => n.w[k], j]));
      list.push([`${unit}, bias`, (n) => n.b, k]);
    });
    v.forEach((_, k) => {
      const from = k < w.length ? (w.length > 1 ? `hidden ${k + 1}` : "hidden") : `input ${k - w.length + 1}, skip`;
      list.push([`output, ${from}`, (n) => n.v, k]);
    });
    list.push(["output, bias", (n) => n, "c"]);
    return list;
  }

  const signed = (value) => value.toFixed(2).replace("-", "−");

  function panel(title, skip, state) {
    const canvas = element("canvas", { width: SIDE * 6, height: SIDE * 6, role: "img" });
    const words = element("p", { class: "xor-words" });
    const sliders = element("div", { class: "xor-sliders" });
    let network = fresh(skip, 1);

    numbersOf(network).forEach(([name, holder, key]) => {
      const shown = element("output", {});
      const input = element("input", {
        type: "range",
        min: -LIMIT,
        max: LIMIT,
        step: 0.05,
        "aria-label": `${title}: ${name}`,
        input: () => {
          holder(network)[key] = Number(input.value);
          show();
        },
      });
      input.update = () => {
        input.value = holder(network)[key];
        shown.textContent = signed(holder(network)[key]);
        input.setAttribute("aria-valuetext", signed(holder(network)[key]));
      };
      sliders.append(element("label", { class: "xor-slider" }, element("span", {}, name), input, shown));
    });

    function show() {
      const range = CODINGS[state.coding];
      const margin = (range[1] - range[0]) * 0.25;
      const [from, to] = [range[0] - margin, range[1] + margin];
      const place = (at) => ((at - from) / (to - from)) * SIDE * 6;
      const paint = canvas.getContext("2d");
      for (let i = 0; i < SIDE; i += 1) {
        for (let j = 0; j < SIDE; j += 1) {
          const at = (k) => from + ((k + 0.5) / SIDE) * (to - from);
          const { output } = forward(network, [at(i), at(SIDE - 1 - j)]);
          const weight = Math.round(55 * Math.abs(output));
          paint.fillStyle = output > 0 ? `hsl(210 70% ${95 - weight}%)` : `hsl(28 80% ${95 - weight}%)`;
          paint.fillRect(i * 6, j * 6, 6, 6);
        }
      }
      const corners = cornersOf(range);
      corners.forEach(([x, y], i) => {
        paint.beginPath();
        paint.arc(place(x), SIDE * 6 - place(y), 9, 0, 2 * Math.PI);
        paint.fillStyle = TARGETS[i] > 0 ? "#1b1b1b" : "#ffffff";
        paint.strokeStyle = TARGETS[i] > 0 ? "#ffffff" : "#1b1b1b";
        paint.lineWidth = 3;
        paint.fill();
        paint.stroke();
      });
      const good = right(network, corners);
      const solved = good === 4 ? ": solved" : "";
      words.textContent = `loss ${loss(network, corners).toFixed(4)}, ${good} of 4 signs right${solved}`;
      const answers = corners.map((p) => `(${p.join(", ")}): ${forward(network, p).output.toFixed(2)}`).join("; ");
      canvas.setAttribute("aria-label", `${title}: outputs over both inputs. ${answers}`.replaceAll("-", "−"));
      for (const input of sliders.querySelectorAll("input")) input.update();
    }

    const box = element(
      "div",
      { class: "xor-panel", role: "group", "aria-label": title },
      element("p", { class: "xor-title" }, title),
      canvas,
      words,
      element("details", {}, element("summary", {}, `The ${sliders.children.length} numbers of ${title}`), sliders)
    );
    return {
      box,
      show,
      words,
      set: (other) => {
        network = structuredClone(other);
        show();
      },
      get: () => structuredClone(network),
    };
  }

  function build(root) {
    const state = { coding: "±1" };
    const panels = [panel("two hidden units", false, state), panel("one and a skip", true, state)];
    const status = element("p", { class: "xor-status", role: "status" });
    const start = element("input", { type: "number", min: 1, max: 9999, step: 1, value: 1, change: begin });
    const options = Object.keys(CODINGS).map((name) => element("option", { value: name }, name));
    const coding = element("select", { change: begin }, ...options);
    const rates = [0.02, 0.1, 0.5].map((value) => element("option", { value }, String(value)));
    const rate = element("select", {}, ...rates);
    rate.value = "0.1";
    let steps = 0;

    function say() {
      const found = panels.map(({ box, words }) => `${box.getAttribute("aria-label")}: ${words.textContent}`);
      status.textContent = `After ${steps.toLocaleString("en")} steps. ${found.join(". ")}.`;
    }

    function begin() {
      const seed = Math.min(9999, Math.max(1, Math.round(Number(start.value)) || 1));
      start.value = seed;
      state.coding = coding.value;
      steps = 0;
      panels.forEach((each, place) => each.set(fresh(place === 1, seed)));
      say();
    }

    function run(count) {
      steps += count;
      const corners = cornersOf(CODINGS[state.coding]);
      panels.forEach((each) => each.set(train(each.get(), corners, Number(rate.value), count)));
      say();
    }

    function next() {
      start.value = (Number(start.value) % 9999) + 1;
      begin();
    }

    root.replaceChildren(
      element(
        "div",
        { class: "xor-bar" },
        field("start number", start),
        field("inputs", coding),
        field("learning rate", rate),
        button("Train 20 steps", () => run(20)),
        button("Train 1,000 steps", () => run(1000)),
        button("Next start", next)
      ),
      element("div", { class: "xor-panels" }, ...panels.map(({ box }) => box)),
      element("p", { class: "xor-key" }, "Blue: output above 0; orange: below. Filled points want +1, open ones −1."),
      status
    );
    root.xor = panels;
    begin();
  }

  const box = document.getElementById("explore-xor-bend");
  if (box) {
    const root = element("div", { id: "xor-bend" });
    box.append(root);
    build(root);
  }
})();
