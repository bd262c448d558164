/* Counts a list of layers as `companion.counting` does: shapes, parameters, multiply-adds, activations, bytes.

   Pure functions, without page and state: a network is a plain object, and so is what is counted. Counts are BigInts,
   exact at any size. tests/test_calculator.py compares everything here with PyTorch and `layer_table`.

   A network: {channels, height, width, classes, channelsLast, layers: [{kind: "conv", out: 32, kernel: 3, ...}, ...]}.
   Its numbers may be the texts of form fields; `count` says in a sentence what is wrong with them. `out` may be
   "classes": as many as there are. */
"use strict";

window.LayerCounting = (() => {
  const MAX_LAYERS = 100;
  const MAX_WIDTH = 100000; // channels, outputs, classes
  const MAX_SIDE = 10000;
  const MAX_WINDOW = 1000;

  /* What a reader sees of each kind: name, numbers (label, least, most), switches, and how a new one begins. */
  const OUT = { channels: ["channels", 1, MAX_WIDTH], outputs: ["outputs", 1, MAX_WIDTH] };
  const WINDOW = {
    kernel: ["kernel", 1, MAX_WINDOW],
    stride: ["stride", 1, MAX_WINDOW],
    padding: ["padding", 0, MAX_WINDOW],
  };
  const KINDS = {
    conv: {
      label: "convolution",
      numbers: { out: OUT.channels, ...WINDOW },
      switches: { bias: "bias" },
      start: { out: 32, kernel: 3, stride: 1, padding: 1, bias: true },
    },
    maxpool: { label: "max pooling", numbers: WINDOW, switches: {}, start: { kernel: 2, stride: 2, padding: 0 } },
    avgpool: { label: "average pooling", numbers: WINDOW, switches: {}, start: { kernel: 2, stride: 2, padding: 0 } },
    adaptive: {
      label: "average to fixed size",
      numbers: { side: ["side", 1, MAX_WINDOW] },
      switches: {},
      start: { side: 7 },
    },
    gap: { label: "global average pooling", numbers: {}, switches: {}, start: {} },
    flatten: { label: "flatten", numbers: {}, switches: {}, start: {} },
    linear: {
      label: "fully connected",
      numbers: { out: OUT.outputs },
      switches: { bias: "bias" },
      start: { out: 32, bias: true },
    },
    batchnorm: { label: "batch normalisation", numbers: {}, switches: {}, start: {} },
    relu: { label: "ReLU", numbers: {}, switches: { inplace: "in place" }, start: { inplace: false } },
    dropout: { label: "dropout", numbers: { rate: ["rate", 0, 1] }, switches: {}, start: { rate: 0.5 } },
  };
  const NETWORK = {
    channels: ["channels", 1, MAX_WIDTH],
    height: ["height", 1, MAX_SIDE],
    width: ["width", 1, MAX_SIDE],
    classes: ["the number of classes", 1, MAX_WIDTH],
  };

  // ------------------------------------------------------------------------------------------------------- numbers

  const times = (...numbers) => numbers.reduce((product, n) => product * BigInt(n), 1n);
  const sum = (numbers) => numbers.reduce((total, n) => total + n, 0n);
  const grouped = (n) => n.toLocaleString("en-US");
  const shapeText = (shape) => shape.join(" × ");

  /* Bytes as a reader wants them: in units of 1024, as in the VGG chapter. */
  function bytesText(bytes) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = 0;
    while (power < units.length - 1 && bytes >= 1024n ** BigInt(power + 1)) power += 1;
    return power ? `${(Number(bytes) / 1024 ** power).toFixed(1)} ${units[power]}` : `${bytes} bytes`;
  }

  /* {value} of a field's text, or {problem}: what is wrong with it. */
  function readNumber([label, least, most], text) {
    const written = String(text ?? "").trim();
    const isRate = label === "rate"; // all others are whole numbers
    const wanted = `a ${isRate ? "number" : "whole number"} from ${grouped(least)} to ${grouped(most)}`;
    if (written === "") return { problem: `${label} is empty; it has to be ${wanted}` };
    const value = Number(written);
    const isNumber = isRate ? /^(\d?\.\d{1,6}|\d)$/.test(written) : /^\d{1,9}$/.test(written);
    if (isNumber && value >= least && value <= most) return { value };
    const shown = written.length > 20 ? `${written.slice(0, 20)}…` : written;
    return { problem: `${label} has to be ${wanted}, not “${shown}”` };
  }

  /* The network with numbers in place of texts, and {layer, field, text} for each field that holds none.

     The layer of a problem is null where the input or the number of classes is meant. */
  function read(network) {
    const problems = [];
    const readFields = (fields, source, layer, where) => {
      const values = {};
      for (const [name, field] of Object.entries(fields)) {
        if (name === "out" && source.out === "classes") {
          values.out = "classes";
          continue;
        }
        const { value, problem } = readNumber(field, source[name]);
        if (problem) problems.push({ layer, field: name, text: `${where}: ${problem}.` });
        values[name] = value;
      }
      return values;
    };
    const { classes, ...sides } = NETWORK;
    const input = readFields(sides, network, null, "Input");
    const values = { ...input, ...readFields({ classes }, network, null, "Output") };
    values.channelsLast = Boolean(network.channelsLast);
    values.layers = network.layers.map((layer, index) => {
      const { numbers, switches } = KINDS[layer.kind];
      const own = { kind: layer.kind, ...readFields(numbers, layer, index, place(layer, index)) };
      for (const name of Object.keys(switches)) own[name] = Boolean(layer[name]);
      return own;
    });
    if (network.layers.length > MAX_LAYERS) {
      problems.push({ layer: null, field: null, text: `The list may hold at most ${MAX_LAYERS} layers.` });
    }
    return { values, problems };
  }

  const place = (layer, index) => `Layer ${index + 1} (${KINDS[layer.kind].label})`;

  // -------------------------------------------------------------------------------------------------------- counting

  /* Everything about a network: a row for each layer (null from the first problem on), the totals, the problems.

     A row: {kind (PyTorch's name), shape, parameters, buffers, bytes, activations, multiplyAdds} and `formulas`, which
     gives the digits behind each count as a text. `totals` is null while there is a problem. */
  function count(network) {
    const { values, problems } = read(network);
    const rows = [];
    const ready = !problems.some((problem) => problem.layer === null);
    let image = { shape: [values.channels, values.height, values.width], channelsLast: false };
    for (const [index, layer] of values.layers.entries()) {
      if (!ready || rows.includes(null) || problems.some((problem) => problem.layer === index)) {
        rows.push(null);
        continue;
      }
      const row = countLayer(layer, image, values);
      if (typeof row === "string") {
        problems.push({ layer: index, field: null, text: `${place(layer, index)} ${row}` });
        rows.push(null);
        continue;
      }
      rows.push(row);
      image = row;
    }
    problems.sort((a, b) => (a.layer ?? -1) - (b.layer ?? -1));
    const total = (name) => sum(rows.map((row) => row[name]));
    const names = ["parameters", "buffers", "bytes", "activations", "multiplyAdds"];
    const totals = problems.length ? null : Object.fromEntries(names.map((name) => [name, total(name)]));
    return { rows, totals, problems };
  }

  /* The row of one layer for its input {shape, channelsLast}, or the end of a sentence: why it does not fit. */
  function countLayer(layer, image, network) {
    const { shape } = image;
    const isImage = shape.length === 3;
    const wantsImage = ["conv", "maxpool", "avgpool", "adaptive", "gap"].includes(layer.kind);
    if (wantsImage && !isImage) {
      return `needs an image and gets a flat list of ${grouped(shape[0])} numbers: it has to stand before the flatten.`;
    }
    if (layer.kind === "linear" && isImage) {
      return `needs a flat list of numbers and gets an image of ${shapeText(shape)}: put a flatten before it.`;
    }
    const [channels, height, width] = shape;
    const out = layer.out === "classes" ? network.classes : layer.out;
    const same = { shape, channelsLast: image.channelsLast };
    switch (layer.kind) {
      case "conv": {
        const window = slide(layer, shape);
        if (window.problem) return window.problem;
        const filter = `${layer.kernel}·${layer.kernel}·${channels}`;
        return makeRow("Conv2d", [out, ...window.sides], {
          // a filter of a single weight has no order of its own, and leaves that of its input
          channelsLast: network.channelsLast && (layer.kernel * channels > 1 || image.channelsLast),
          weights: times(layer.kernel, layer.kernel, channels, out),
          biases: layer.bias ? out : 0,
          parameterFormula: layer.bias ? `(${filter} + 1)·${out}` : `${filter}·${out}`,
          multiplyAdds: times(layer.kernel, layer.kernel, channels, out, ...window.sides),
          multiplyAddsFormula: `${filter}·${out}·${window.sides.join("·")}`,
          shapeFormula: window.formula,
        });
      }
      case "linear":
        return makeRow("Linear", [out], {
          weights: times(channels, out),
          biases: layer.bias ? out : 0,
          parameterFormula: layer.bias ? `(${channels} + 1)·${out}` : `${channels}·${out}`,
          multiplyAdds: times(channels, out),
          multiplyAddsFormula: `${channels}·${out}`,
        });
      case "maxpool":
      case "avgpool": {
        const most = Math.floor(layer.kernel / 2);
        if (layer.padding > most) {
          return `may be padded by at most half its kernel, here ${most}, not ${layer.padding}.`;
        }
        const window = slide(layer, shape);
        if (window.problem) return window.problem;
        const name = layer.kind === "maxpool" ? "MaxPool2d" : "AvgPool2d";
        const channelsLast = image.channelsLast;
        return makeRow(name, [channels, ...window.sides], { channelsLast, shapeFormula: window.formula });
      }
      case "gap":
      case "adaptive": {
        const side = layer.kind === "gap" ? 1 : layer.side;
        return makeRow("AdaptiveAvgPool2d", [channels, side, side], { channelsLast: image.channelsLast });
      }
      case "flatten": {
        const numbers = Number(times(...shape));
        const copies = image.channelsLast && channels > 1 && height * width > 1;
        const shapeFormula = isImage ? shape.join("·") : "";
        return makeRow("Flatten", [numbers], { shapeFormula, silent: copies ? "" : "the same numbers" });
      }
      case "batchnorm":
        return makeRow(isImage ? "BatchNorm2d" : "BatchNorm1d", shape, {
          channelsLast: image.channelsLast && channels > 1 && height * width > 1, // else there is no order to keep
          weights: times(channels),
          biases: channels,
          parameterFormula: `2·${channels}`,
          averages: channels,
        });
      case "relu":
        return makeRow("ReLU", shape, { ...same, silent: layer.inplace ? "overwrites its input" : "" });
      case "dropout":
        return makeRow("Dropout", shape, { ...same, silent: "passes its input on" });
    }
  }

  /* A window that slides over the image: the sides of what comes out, and how they come about. */
  function slide({ kernel, stride, padding }, [, ...sides]) {
    if (kernel > Math.min(...sides) + 2 * padding) {
      const padded = padding ? ` (with padding ${sides.map((side) => side + 2 * padding).join(" × ")})` : "";
      return {
        problem:
          `has a kernel of ${kernel} × ${kernel}, larger than its image of ${sides.join(" × ")}${padded}: ` +
          "choose a smaller kernel or more padding.",
      };
    }
    const formula = (side) => {
      const steps = `(${side}${padding ? ` + 2·${padding}` : ""} − ${kernel})/${stride}`;
      return `${(side + 2 * padding - kernel) % stride ? `⌊${steps}⌋` : steps} + 1`;
    };
    const outside = sides.map((side) => Math.floor((side + 2 * padding - kernel) / stride) + 1);
    return { sides: outside, formula: [...new Set(sides.map(formula))].join(", ") };
  }

  /* A row out of what is particular to a layer; `silent` says why its output adds nothing to memory. */
  function makeRow(kind, shape, layer) {
    const { weights = 0n, biases = 0, averages = 0, multiplyAdds = 0n, silent = "", channelsLast = false } = layer;
    const parameters = weights + BigInt(biases);
    const buffers = averages ? 2n * BigInt(averages) + 1n : 0n; // running mean and variance, and a counter of batches
    const bytes = 4n * parameters + (averages ? 8n * BigInt(averages) + 8n : 0n); // the counter has 64 bits
    const activations = silent ? 0n : times(...shape);
    const counter = averages ? ` + 4·2·${averages} + 8` : "";
    const formulas = {
      shape: layer.shapeFormula ?? "",
      parameters: layer.parameterFormula ?? "",
      split: biases && !averages ? `${grouped(weights)} + ${grouped(biases)}` : "",
      buffers: averages ? `2·${averages} + 1` : "",
      activations: silent || (shape.length > 1 ? shape.join("·") : ""),
      multiplyAdds: layer.multiplyAddsFormula ?? "",
      memory: `4·(${parameters} + ${activations})${counter}`,
    };
    return { kind, shape, channelsLast, parameters, buffers, bytes, activations, multiplyAdds, formulas };
  }

  // ------------------------------------------------------------------------------------------------- lists as texts

  /* A network as one short text for an address: 3x32x32,10,last,conv-32-3-1-1,relu,flatten,fc-classes; null if a number
     of it cannot be read. */
  function encode(network) {
    const { values, problems } = read(network);
    if (problems.length) return null;
    const layers = values.layers.map((layer) => {
      const { numbers, switches } = KINDS[layer.kind];
      const parts = [layer.kind, ...Object.keys(numbers).map((name) => layer[name])];
      if ("bias" in switches && !layer.bias) parts.push("nobias");
      if (layer.inplace) parts.push("inplace");
      return parts.join("-");
    });
    const input = `${values.channels}x${values.height}x${values.width}`;
    const text = [input, values.classes, ...(values.channelsLast ? ["last"] : []), ...layers].join(",");
    return Object.keys(PRESETS).find((name) => PRESETS[name].text === text) ?? text;
  }

  /* The network of such a text or of a preset's name: {network}, or {problem}: a sentence. */
  function decode(text) {
    if (Object.hasOwn(PRESETS, text)) text = PRESETS[text].text;
    const unreadable = (part) => ({
      problem: `The list of layers in the address cannot be read at “${part.slice(0, 20)}”.`,
    });
    const [input, classes, ...parts] = text.split(",");
    const sides = input.split("x");
    if (sides.length !== 3) return unreadable(input);
    const network = { channels: sides[0], height: sides[1], width: sides[2], classes: classes ?? "" };
    network.channelsLast = parts[0] === "last";
    if (network.channelsLast) parts.shift();
    network.layers = [];
    for (const part of parts) {
      const [kind, ...settings] = part.split("-");
      if (!Object.hasOwn(KINDS, kind)) return unreadable(part);
      const { numbers, switches } = KINDS[kind];
      const layer = { kind };
      for (const name of Object.keys(numbers)) layer[name] = settings.shift() ?? "";
      if ("bias" in switches) layer.bias = !take(settings, "nobias");
      if ("inplace" in switches) layer.inplace = take(settings, "inplace");
      if (settings.length || (layer.out === "classes" && !("bias" in switches))) return unreadable(part);
      network.layers.push(layer);
    }
    const { values, problems } = read(network);
    return problems.length ? { problem: `The address: ${problems[0].text}` } : { network: values };
  }

  const take = (settings, word) => settings[0] === word && Boolean(settings.shift());

  /* The network as Python: lines to run in a cell. They count the parameters again. Null while there is a problem. */
  function toPyTorch(network) {
    const { rows, totals } = count(network);
    if (!totals) return null;
    const { values } = read(network);
    let before = [values.channels, values.height, values.width];
    const layers = values.layers.map((layer, index) => {
      const line = `    ${pytorchLayer(layer, before, rows[index])},`;
      before = rows[index].shape;
      return `${line}  # ${shapeText(before)}`;
    });
    const layout = values.channelsLast ? ".to(memory_format=torch.channels_last)" : "";
    return [
      "import torch",
      "from torch import nn",
      "",
      `model = nn.Sequential(  # ${shapeText([values.channels, values.height, values.width])}`,
      ...layers,
      `)${layout}`,
      `x = torch.zeros(1, ${values.channels}, ${values.height}, ${values.width})`,
      "print(tuple(model.eval()(x).shape))",
      `print(f"{sum(p.numel() for p in model.parameters()):,}")  # ${grouped(totals.parameters)}`,
      "",
    ].join("\n");
  }

  function pytorchLayer(layer, before, row) {
    const bias = layer.bias === false ? ", bias=False" : "";
    const stride = layer.stride === 1 ? "" : `, stride=${layer.stride}`;
    const padding = layer.padding ? `, padding=${layer.padding}` : "";
    switch (layer.kind) {
      case "conv":
        return `nn.Conv2d(${before[0]}, ${row.shape[0]}, kernel_size=${layer.kernel}${stride}${padding}${bias})`;
      case "linear":
        return `nn.Linear(${before[0]}, ${row.shape[0]}${bias})`;
      case "maxpool":
      case "avgpool": {
        const step = layer.stride === layer.kernel ? "" : `, stride=${layer.stride}`; // without one, by its kernel
        return `nn.${row.kind}(${layer.kernel}${step}${padding})`;
      }
      case "batchnorm":
        return `nn.${row.kind}(${before[0]})`;
      case "gap":
      case "adaptive":
        return `nn.AdaptiveAvgPool2d(${row.shape[1]})`;
      case "flatten":
        return "nn.Flatten()";
      case "relu":
        return layer.inplace ? "nn.ReLU(inplace=True)" : "nn.ReLU()";
      case "dropout":
        return `nn.Dropout(${layer.rate})`;
    }
  }

  // ---------------------------------------------------------------------------------------------------------- presets

  const conv = (out, kernel = 3, stride = 1, padding = 1) => `conv-${out}-${kernel}-${stride}-${padding}`;
  const list = (...parts) => parts.flat(Infinity).join(",");

  const VGG_BLOCKS = [[64, 2], [128, 2], [256, 3], [512, 3], [512, 3]];
  const vgg = (norm) =>
    list(
      "3x224x224,1000",
      VGG_BLOCKS.map(([width, depth]) => [Array(depth).fill([conv(width), norm, "relu-inplace"]), "maxpool-2-2-0"]),
      "adaptive-7,flatten",
      Array(2).fill("linear-4096,relu-inplace,dropout-0.5"),
      "linear-classes",
    );
  const smallCnn = (...widths) =>
    list(
      "3x32x32,10,last",
      widths.map((width) => [conv(width), "maxpool-2-2-0,relu"]),
      "flatten,linear-32,relu,dropout-0.5,linear-classes",
    );

  const smallMlp = (hidden) => `3x32x32,10,flatten,linear-${hidden},relu,linear-classes`;

  /* The layers as torchvision, the chapters and the reports have them (report B prints none: see the page). */
  const PRESETS = {
    "vgg-16": { group: "Known networks", label: "VGG-16 (configuration D)", text: vgg([]) },
    "vgg-16-bn": { group: "Known networks", label: "VGG-16 with batch normalisation", text: vgg(["batchnorm"]) },
    alexnet: {
      group: "Known networks",
      label: "AlexNet",
      text: list(
        "3x224x224,1000",
        [conv(64, 11, 4, 2), "relu-inplace,maxpool-3-2-0"],
        [conv(192, 5, 1, 2), "relu-inplace,maxpool-3-2-0"],
        [384, 256, 256].map((width) => [conv(width), "relu-inplace"]),
        "maxpool-3-2-0,adaptive-6,flatten",
        Array(2).fill("dropout-0.5,linear-4096,relu-inplace"),
        "linear-classes",
      ),
    },
    "a-one-block": { group: "Report A", label: "A: CNN, one block", text: smallCnn(32) },
    "a-two-blocks": { group: "Report A", label: "A: CNN, two blocks", text: smallCnn(32, 64) },
    "a-three-blocks": { group: "Report A", label: "A: CNN, three blocks", text: smallCnn(32, 64, 16) },
    "a-gap": {
      group: "Report A",
      label: "A: CNN with global average pooling",
      text: list(
        "3x32x32,10,last",
        [32, 64].map((width) => [conv(width), "maxpool-2-2-0,relu"]),
        [conv("classes"), "gap,flatten"],
      ),
    },
    "a-mlp-100": { group: "Report A", label: "A: MLP, 100 units", text: smallMlp(100) },
    "a-mlp-12": { group: "Report A", label: "A: MLP, 12 units", text: smallMlp(12) },
    "b-cnn": {
      group: "Reports B and E",
      label: "B: simple CNN on MNIST",
      text: list(
        "1x28x28,10",
        Array(2).fill([conv(32), "relu"]),
        "maxpool-2-2-0,dropout-0.25,flatten,linear-128,relu,dropout-0.5,linear-classes",
      ),
    },
    "e-dense": {
      group: "Reports B and E",
      label: "E: dense network on MNIST",
      text: list("1x28x28,10,flatten", [784, 100].map((width) => `linear-${width},relu,batchnorm`), "linear-classes"),
    },
    "e-alexnet": {
      group: "Reports B and E",
      label: "E: AlexNet for 32 × 32 pixels",
      text: list(
        "3x32x32,100",
        [conv(96, 3, 4, 1), "relu,batchnorm,maxpool-2-2-0"],
        [conv(256, 5, 1, 2), "relu,batchnorm,maxpool-2-2-0"],
        [384, 184, 256].map((width) => [conv(width), "relu,batchnorm"]),
        "maxpool-2-2-0,flatten,dropout-0.5,batchnorm,linear-1024,relu,dropout-0.5,batchnorm,linear-1024,relu",
        "linear-classes",
      ),
    },
  };

  return { KINDS, MAX_LAYERS, NETWORK, PRESETS, bytesText, count, decode, encode, grouped, shapeText, toPyTorch };
})();
