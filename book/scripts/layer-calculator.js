/* The page "Count the layers yourself": a list of layers to edit, and beside each layer what `LayerCounting` counts.

   The state is one network (see layer-counting.js) whose numbers are the texts of the fields. Typing rewrites only the
   counts; a change of the list builds the rows anew and puts the focus back. The address keeps the list behind `#net=`,
   so that a link shares it, and the browser's way back brings back a list that a preset replaced. */
"use strict";

(() => {
  const { KINDS, MAX_LAYERS, NETWORK, PRESETS, bytesText, count, decode, encode, grouped, shapeText, toPyTorch } =
    window.LayerCounting;
  const START = "a-three-blocks";
  const QUIET = 700; // milliseconds without a change, before the address and the announcement follow
  const COLUMNS = {
    parameters: "Parameters",
    multiplyAdds: "Multiply-adds",
    activations: "Activations",
    memory: "Memory",
  };
  const MOVES = {
    up: ["↑", "Move up"],
    down: ["↓", "Move down"],
    copy: ["+", "Insert a copy of"],
    remove: ["×", "Remove"],
  };

  let network = decode(START).network;
  let timer = null;
  let said = ""; // what was done, for the next announcement

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  function drawing(tag, attributes = {}, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const unseen = (text) => element("span", { class: "lc-unseen" }, text);
  const small = (text) => element("span", { class: "lc-formula" }, text);
  const layerName = (index) => `layer ${index + 1}, ${KINDS[network.layers[index].kind].label}`;
  const button = (text, click) => element("button", { type: "button", class: "lc-button", click }, text);

  function kindOptions(chosen) {
    return Object.entries(KINDS).map(([kind, { label }]) =>
      element("option", { value: kind, selected: kind === chosen }, label)
    );
  }

  // ------------------------------------------------------------------------------------------- the page, built once

  const presets = element("select", { id: "lc-preset", change: choosePreset });
  const newKind = element("select", { id: "lc-new", class: "lc-kind" }, ...kindOptions("conv"));
  const networkFields = element("div", { class: "lc-fields" });
  const picture = element("div", { class: "lc-picture" });
  const colour = element(
    "select",
    { id: "lc-colour", change: () => show() },
    ...Object.entries(COLUMNS).map(([name, label]) =>
      element("option", { value: name, selected: name === "multiplyAdds" }, label.toLowerCase())
    )
  );
  const body = element("tbody", { role: "rowgroup" }); // the roles hold where a phone shows the rows as cards
  const foot = element("tfoot", { role: "rowgroup" });
  const summary = element("div", { class: "lc-summary" });
  const status = element("p", { class: "lc-unseen", role: "status", "aria-live": "polite" });
  const note = element("span", { class: "lc-note" });
  const code = element("code");

  function build(root) {
    const own = element("option", { value: "" }, "a list of your own");
    presets.append(own);
    for (const [name, { group, label }] of Object.entries(PRESETS)) {
      const found = [...presets.children].find((child) => child.label === group);
      const place = found ?? presets.appendChild(element("optgroup", { label: group }));
      place.append(element("option", { value: name }, label));
    }
    const headings = ["#", "Layer", "Output", ...Object.values(COLUMNS)];
    const head = headings.map((text) => element("th", { scope: "col", role: "columnheader" }, text));
    root.replaceChildren(
      element(
        "div",
        { class: "lc-network" },
        element("label", { class: "lc-field" }, element("span", {}, "network"), presets),
        networkFields
      ),
      element(
        "figure",
        { class: "lc-figure" },
        picture,
        element(
          "figcaption",
          {},
          "What each layer hands on, to scale: height by the side of the image, width by its channels or by the length of a " +
            "flat list, both as square roots. Layers that keep the shape are left out. The stronger the blue, the larger the share of the ",
          element("label", {}, colour, unseen(": the count that the picture shows"))
        )
      ),
      element(
        "div",
        { class: "lc-scroll", role: "region", "aria-label": "The list of layers", tabindex: "0" },
        element(
          "table",
          { class: "table lc-table", role: "table" },
          element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)),
          body,
          foot
        )
      ),
      element(
        "div",
        { class: "lc-bar" },
        element("label", { class: "lc-field" }, element("span", {}, "new layer at the end"), newKind),
        button("Add", () => addLayer())
      ),
      summary,
      element(
        "div",
        { class: "lc-bar" },
        button("Copy the link", () => copy(shareLink(), "The link to this list is copied.")),
        button("Copy as PyTorch code", () => copy(toPyTorch(network), "The code is copied.")),
        note
      ),
      element(
        "details",
        { class: "lc-code" },
        element("summary", {}, "The list as PyTorch code"),
        element("pre", { tabindex: "0" }, code)
      ),
      status
    );
  }

  // ------------------------------------------------------------------------------------------------- the list's rows

  /* Fields for the numbers of a network or of one of its layers; `keys` begin with it, so that the focus finds back. */
  function numberField(holder, name, [label, least, most], key, whose) {
    const input = element("input", {
      type: "number",
      min: least,
      max: most,
      step: name === "rate" ? "0.05" : "1",
      class: name === "out" ? "lc-wide" : "",
      "data-key": `${key}:${name}`,
      "data-shows": holder[name] === "classes" ? "classes" : false,
      disabled: holder[name] === "classes",
      input: () => {
        holder[name] = input.value;
        changed();
      },
    });
    input.value = holder[name] === "classes" ? network.classes : holder[name];
    const text = label.replace("the number of ", "");
    return element("label", { class: "lc-field" }, element("span", {}, text, unseen(whose)), input);
  }

  function switchField(label, checked, key, whose, flip) {
    const box = element("input", { type: "checkbox", checked, "data-key": key, change: () => flip(box.checked) });
    return element("label", { class: "lc-switch" }, box, element("span", {}, label, unseen(whose)));
  }

  function layerFields(layer, index) {
    const { numbers, switches } = KINDS[layer.kind];
    const whose = ` of layer ${index + 1}`;
    const fields = Object.entries(numbers).map(([name, field]) => numberField(layer, name, field, index, whose));
    if ("out" in numbers) {
      const flip = (perClass) => {
        layer.out = perClass ? "classes" : String(network.classes);
        render(`${index}:classes`);
      };
      fields.push(switchField("one per class", layer.out === "classes", `${index}:classes`, whose, flip));
    }
    for (const [name, label] of Object.entries(switches)) {
      const flip = (on) => {
        layer[name] = on;
        changed();
      };
      fields.push(switchField(label, layer[name], `${index}:${name}`, whose, flip));
    }
    return fields;
  }

  function layerRow(layer, index) {
    const kind = element(
      "select",
      {
        class: "lc-kind",
        "data-key": `${index}:kind`,
        "aria-label": `kind of layer ${index + 1}`,
        change: () => changeKind(index, kind.value),
      },
      ...kindOptions(layer.kind)
    );
    const moves = Object.entries(MOVES).map(([move, [sign, text]]) =>
      element(
        "button",
        {
          type: "button",
          class: "lc-move",
          title: text.replace(" of", ""),
          "data-key": `${index}:${move}`,
          disabled: (move === "up" && index === 0) || (move === "down" && index === network.layers.length - 1),
          click: () => moveLayer(index, move),
        },
        element("span", { "aria-hidden": "true" }, sign),
        unseen(`${text} layer ${index + 1}`)
      )
    );
    const fields = layerFields(layer, index);
    const cells = Object.entries({ shape: "Output", ...COLUMNS }).map(([name, label]) =>
      element("td", { class: `lc-${name}`, role: "cell", "data-label": label })
    );
    return element(
      "tr",
      { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, String(index + 1)),
      element(
        "td",
        { class: "lc-layer", role: "cell" },
        element("div", { class: "lc-head" }, kind, element("span", { class: "lc-moves" }, ...moves)),
        ...(fields.length ? [element("div", { class: "lc-fields" }, ...fields)] : []),
        element("p", { class: "lc-problem", id: `lc-problem-${index}` })
      ),
      ...cells
    );
  }

  /* Build all fields anew, then count; the focus goes to the field of that key. */
  function render(key = null) {
    const flip = (on) => {
      network.channelsLast = on;
      changed();
    };
    networkFields.replaceChildren(
      ...Object.entries(NETWORK).map(([name, field]) =>
        numberField(network, name, field, "input", name === "classes" ? "" : " of the input")
      ),
      switchField("channels last", network.channelsLast, "input:last", " in memory", flip),
      element("p", { class: "lc-problem", id: "lc-problem-input" })
    );
    body.replaceChildren(...network.layers.map(layerRow));
    changed();
    if (key !== null) focusOn(key);
  }

  function focusOn(key) {
    const [index] = key.split(":");
    const wanted = document.querySelector(`[data-key="${key}"]:not(:disabled)`);
    (wanted ?? document.querySelector(`[data-key="${index}:kind"]`) ?? newKind).focus();
  }

  // ------------------------------------------------------------------------------------------------------ the counts

  /* Count again and show it; the address and the announcement wait until the reader pauses. */
  function changed() {
    show();
    note.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(settle, QUIET);
  }

  function show() {
    const { rows, totals, problems } = count(network);
    for (const input of document.querySelectorAll("[data-shows=classes]")) input.value = network.classes;
    [...body.rows].forEach((line, index) => fillRow(line, rows[index], totals));
    showProblems(problems);
    const last = rows.at(-1)?.shape;
    const sums = Object.keys(COLUMNS).map((name) => (totals ? columnText(name, totals) : "–"));
    const labels = ["Output", ...Object.values(COLUMNS)];
    const cells = [totals && last ? shapeText(last) : "–", ...sums].map((text, column) =>
      element("td", { role: "cell", "data-label": labels[column] }, text)
    );
    const total = element("th", { scope: "row", role: "rowheader", colspan: "2" }, "Total");
    foot.replaceChildren(element("tr", { role: "row" }, total, ...cells));
    summary.classList.toggle("lc-wrong", problems.length > 0);
    summary.replaceChildren(...(totals ? totalsList(totals) : problemWithWay(problems[0])));
    draw(rows, totals, problems);
    code.textContent = toPyTorch(network) ?? "# There is code as soon as every layer fits.";
    const preset = encode(network);
    presets.value = preset in PRESETS ? preset : "";
  }

  const memory = ({ bytes, activations }) => bytes + 4n * activations;
  const amount = (name, counts) => (name === "memory" ? memory(counts) : counts[name]);
  const columnText = (name, counts) => (name === "memory" ? bytesText(memory(counts)) : grouped(counts[name]));

  function fillRow(line, row, totals) {
    const [, , shape, ...cells] = line.cells;
    if (!row) {
      for (const cell of [shape, ...cells]) {
        cell.replaceChildren("–");
        cell.style.setProperty("--lc-share", "0%");
      }
      return;
    }
    const { formulas } = row;
    shape.replaceChildren(shapeText(row.shape), ...(formulas.shape ? [small(formulas.shape)] : []));
    const notes = {
      parameters: [
        formulas.parameters,
        formulas.split && `${formulas.split} biases`,
        formulas.buffers && `buffers: ${formulas.buffers}`,
      ],
      multiplyAdds: [formulas.multiplyAdds],
      activations: [formulas.activations],
      memory: [formulas.memory],
    };
    Object.keys(COLUMNS).forEach((name, column) => {
      const texts = notes[name].filter(Boolean).map(small);
      cells[column].replaceChildren(columnText(name, row), ...texts);
      cells[column].style.setProperty("--lc-share", `${shareOf(name, row, totals)}%`);
    });
  }

  /* Of a column's total, in percent with one digit; 0 while there is no total. */
  function shareOf(name, row, totals) {
    const whole = totals && amount(name, totals);
    return whole ? Number((1000n * amount(name, row)) / whole) / 10 : 0;
  }

  // ------------------------------------------------------------------------------------------------------ the picture

  const HEIGHT = 132; // pixels of the tallest block
  const LABELS = 18; // pixels above the blocks and below them
  const DRAWN = ["conv", "linear", "maxpool", "avgpool", "gap", "adaptive"];

  /* The input and each layer that alters the shape, as far as the list can be counted, as blocks to scale. */
  function draw(rows, totals, problems) {
    const name = colour.value;
    const what = COLUMNS[name].toLowerCase();
    const input = ["channels", "height", "width"].map((side) => Number(network[side]));
    const blocks = problems.some((problem) => problem.layer === null) ? [] : [{ name: "input", shape: input, share: 0 }];
    rows.forEach((row, index) => {
      if (row && blocks.length && DRAWN.includes(network.layers[index].kind)) {
        blocks.push({ index, name: layerName(index), shape: row.shape, share: shareOf(name, row, totals) });
      }
    });
    const wrong = problems.find((problem) => problem.layer !== null)?.layer;
    const sizes = blocks.map(({ shape }) =>
      shape.length === 3 ? [Math.sqrt(shape[0]), Math.sqrt(Math.max(shape[1], shape[2]))] : [Math.sqrt(shape[0]), 1]
    );
    const width = Math.max(picture.clientWidth, 260);
    const gap = width < 600 ? 2 : 5;
    const room = width - gap * blocks.length - (wrong === undefined ? 0 : 24);
    const across = Math.min(room / sizes.reduce((total, [side]) => total + side, 0), 12);
    const up = HEIGHT / Math.max(...sizes.map(([, side]) => side), 1);
    const most = Math.max(...blocks.map(({ share }) => share), 0.1);
    const middle = LABELS + HEIGHT / 2;
    let x = 1;
    const parts = blocks.map((block, place) => {
      const [wide, high] = [Math.max(sizes[place][0] * across, 2), Math.max(sizes[place][1] * up, 3)];
      const centre = x + wide / 2;
      const top = middle - high / 2;
      const fill = `color-mix(in srgb, var(--pst-color-primary) ${Math.round((100 * block.share) / most)}%, var(--pst-color-surface))`;
      const words = `${block.name}: ${shapeText(block.shape)}${block.index === undefined || !totals ? "" : `, ${block.share} % of the ${what}`}`;
      const shapes = [
        drawing("title", {}, words),
        drawing("rect", { x, y: top, width: wide, height: high, style: `fill: ${fill}` }),
      ];
      const text = (y, sign) => drawing("text", { x: centre, y, "text-anchor": "middle" }, sign);
      if (block.share >= 5 && wide > 26) shapes.push(text(top - 4, `${Math.round(block.share)} %`));
      if (block.index !== undefined && wide > 13) shapes.push(text(middle + high / 2 + 13, String(block.index + 1)));
      const group = drawing("g", { class: "lc-block" }, ...shapes);
      if (block.index !== undefined) group.addEventListener("click", () => goTo(`${block.index}:kind`));
      x += wide + gap;
      return group;
    });
    if (wrong !== undefined && blocks.length) {
      const hole = drawing("rect", { x, y: middle - 30, width: 20, height: 60, class: "lc-hole" });
      parts.push(drawing("g", {}, hole, drawing("text", { x: x + 10, y: middle + 4, "text-anchor": "middle" }, "?")));
      x += 24;
    }
    const label = described(blocks, what, totals, problems);
    const box = `0 0 ${width} ${HEIGHT + 2 * LABELS}`;
    picture.replaceChildren(drawing("svg", { viewBox: box, role: "img", "aria-label": label }, ...parts));
  }

  /* The picture in words. */
  function described(blocks, what, totals, problems) {
    if (!blocks.length) return `No picture: ${problems[0].text}`;
    const way = blocks.map(({ shape }) => shapeText(shape)).filter((text, place, all) => text !== all[place - 1]);
    const costly = blocks.reduce((most, block) => (block.share > most.share ? block : most));
    const most = totals && costly.share ? ` The largest share of the ${what}, ${costly.share} %, is that of ${costly.name}.` : "";
    return `Blocks to scale: ${way.join(", then ")}.${most}${totals ? "" : ` ${problems[0].text}`}`;
  }

  /* The sentence about a problem, and a button that leads to its field, which may be far up the list. */
  function problemWithWay({ layer, field, text }) {
    const key = `${layer ?? "input"}:${field ?? "kind"}`;
    return [
      element("p", {}, text),
      button(layer === null ? "Show the field" : `Show layer ${layer + 1}`, () => goTo(key)),
    ];
  }

  /* Bring the row of this field to the middle of the window, and the focus to the field. */
  function goTo(key) {
    const wanted = document.querySelector(`[data-key="${key}"]`);
    (wanted?.closest("tr") ?? wanted)?.scrollIntoView({ block: "center" });
    wanted?.focus({ preventScroll: true });
  }

  /* Each sentence stands beside its layer, and its field and row are marked. */
  function showProblems(problems) {
    for (const place of document.querySelectorAll(".lc-problem")) place.textContent = "";
    for (const field of document.querySelectorAll("[data-key][aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    const wrong = new Set(problems.map((problem) => problem.layer));
    [...body.rows].forEach((line, index) => line.classList.toggle("lc-wrong-row", wrong.has(index)));
    for (const { layer, field, text } of problems) {
      const key = layer ?? "input";
      const place = document.getElementById(`lc-problem-${key}`);
      place.textContent = [place.textContent, text].filter(Boolean).join(" ");
      const marked = document.querySelector(`[data-key="${key}:${field ?? "kind"}"]`);
      marked?.setAttribute("aria-invalid", "true");
      marked?.setAttribute("aria-describedby", place.id);
    }
  }

  function totalsList(totals) {
    const parts = {
      Parameters: grouped(totals.parameters),
      "Multiply-adds": grouped(totals.multiplyAdds),
      Activations: grouped(totals.activations),
      Memory: `${bytesText(memory(totals))} (parameters ${bytesText(totals.bytes)})`,
    };
    if (totals.buffers) {
      parts.Parameters += ` (and ${grouped(totals.buffers)} buffers)`;
      parts.Memory = parts.Memory.replace("parameters", "parameters and buffers");
    }
    const pair = ([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text));
    return [element("dl", {}, ...Object.entries(parts).map(pair))];
  }

  // ---------------------------------------------------------------------------------------------- changes of the list

  function addLayer() {
    if (isFull()) return;
    network.layers.push({ kind: newKind.value, ...KINDS[newKind.value].start });
    said = `Added ${layerName(network.layers.length - 1)}.`;
    render(`${network.layers.length - 1}:kind`);
  }

  function moveLayer(index, move) {
    const { layers } = network;
    const name = layerName(index);
    if (move === "remove") {
      layers.splice(index, 1);
      said = `Removed ${name}.`;
      render(`${Math.min(index, layers.length - 1)}:remove`);
    } else if (move === "copy") {
      if (isFull()) return;
      layers.splice(index + 1, 0, { ...layers[index] });
      said = `Copied ${name}.`;
      render(`${index + 1}:kind`);
    } else {
      const target = index + (move === "up" ? -1 : 1);
      layers.splice(target, 0, ...layers.splice(index, 1));
      said = `Moved ${name}, ${move}.`;
      render(`${target}:${move}`);
    }
  }

  function isFull() {
    if (network.layers.length < MAX_LAYERS) return false;
    tell(`The list may hold at most ${MAX_LAYERS} layers.`);
    return true;
  }

  /* Another kind at the same place: poolings share their window, and layers with weights their outputs and bias. */
  function changeKind(index, kind) {
    const old = network.layers[index];
    const pools = ["maxpool", "avgpool"];
    const kept = pools.includes(old.kind) && pools.includes(kind) ? ["kernel", "stride", "padding"] : ["out", "bias"];
    const layer = { kind, ...KINDS[kind].start };
    for (const name of kept) if (name in old && name in layer) layer[name] = old[name];
    network.layers[index] = layer;
    render(`${index}:kind`);
  }

  function choosePreset() {
    const own = encode(network);
    if (!(own in PRESETS)) {
      settle(); // the list so far stays in the history
      history.pushState(null, "", location.hash);
    }
    network = decode(presets.value || START).network;
    said = `${presets.selectedOptions[0].label}.`;
    render();
    settle();
  }

  // --------------------------------------------------------------------------------------- the address, and speaking

  const shareLink = () => {
    const text = encode(network);
    return text === null ? null : `${location.href.split("#")[0]}#net=${text}`;
  };

  /* After a pause: the list goes into the address, and the result is said once. */
  function settle() {
    clearTimeout(timer);
    const link = shareLink();
    try {
      if (link !== null) history.replaceState(null, "", link);
    } catch {
      // a browser that counts such changes may refuse one; the next pause tries again
    }
    const { totals, problems } = count(network);
    const counts = () => [
      `${network.layers.length} layers`,
      `${grouped(totals.parameters)} parameters`,
      `${grouped(totals.multiplyAdds)} multiply-adds`,
      bytesText(memory(totals)),
    ];
    const result = totals ? `${counts().join(", ")}.` : problems[0].text;
    status.textContent = `${said} ${result}`.trim();
    said = "";
  }

  function tell(text) {
    note.textContent = text;
    status.textContent = text;
  }

  /* Read the list out of the address; returns whether there is one. */
  function readAddress() {
    const found = /^#net=(.*)$/.exec(location.hash);
    if (!found) return false;
    let text = found[1];
    try {
      text = decodeURIComponent(text);
    } catch {
      // a stray % sign: `decode` will say where
    }
    const { network: read, problem } = decode(text);
    if (problem) {
      tell(`${problem} The list before it stays.`);
      return false;
    }
    network = read;
    render();
    return true;
  }

  async function copy(text, done) {
    if (text === null) {
      tell("Nothing is copied: first every layer has to fit.");
      return;
    }
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // no clipboard for a page from the file system in some browsers: select the text and copy it the old way
      const area = document.body.appendChild(element("textarea", { class: "lc-unseen" }));
      const before = document.activeElement;
      area.value = text;
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      before?.focus();
      if (!copied) {
        tell("The browser does not let the page copy: mark the text and copy it yourself.");
        return;
      }
    }
    tell(done);
  }

  const root = document.getElementById("layer-calculator");
  build(root);
  render();
  clearTimeout(timer); // nothing has changed yet: the address stays as it is
  if (readAddress()) clearTimeout(timer);
  window.addEventListener("hashchange", readAddress);
  let width = picture.clientWidth;
  new ResizeObserver(() => {
    if (picture.clientWidth === width) return;
    width = picture.clientWidth;
    show();
  }).observe(picture);
})();
