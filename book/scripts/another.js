/* "Got another number?": a reader's own number beside the recorded runs of the page, as `companion.compare` answers in Python.

   The box holds every reading of the runs (`publish/pages/another.py`): of each setting, each curve, after the last epoch and
   elsewhere, with the ends of the 95 % interval of one further run. Without this script the table of these stays. */
(function () {
  "use strict";

  const SHOWN = 3; // causes
  const MOST_CHANGED = 2; // settings that differ at once in a cause

  function make(name, content, properties = {}) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[content].flat());
    return made;
  }

  function start(box) {
    const data = JSON.parse(box.querySelector(".another-data").textContent);
    const readings = data.readings.map(([setting, curve, kind, n, units, precision, telling, ...rest]) => {
      const [centre, low, high, error, ...texts] = rest;
      return { setting, curve, kind, n, units, precision, telling, centre, low, high, error, texts };
    });
    const form = box.querySelector("form");
    const said = box.querySelector(".another-answer");
    const number = make("input", [], { type: "text", inputMode: "decimal", autocomplete: "off", maxLength: 20, size: 8 });
    const curves = choice(data.curves.map(([, words]) => words), data.first[1]);
    const settings = choice(data.settings.map((pairs) => described(pairs) || "all runs"), data.first[0]);
    form.append(labelled("Your number", number), labelled("is the", curves), labelled("of", settings));
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", show);
    settings.parentElement.hidden = data.settings.length < 2;

    function show() {
      if (!number.value.trim()) {
        said.replaceChildren();
        return;
      }
      const given = read(number.value);
      if (!given) {
        said.replaceChildren(make("p", `“${number.value.trim()}” is no number; write it like 0.62 or 0,62.`));
        return;
      }
      const reading = readings.find(
        (r) => r.kind === "last epoch" && r.curve === curves.selectedIndex && r.setting === settings.selectedIndex
      );
      if (!reading) {
        said.replaceChildren(make("p", "These runs have no such number. We cannot tell."));
        return;
      }
      const { words, causes } = answer(given, reading);
      const list = causes.length ? [make("ul", causes.map((cause) => make("li", cause)))] : [];
      said.replaceChildren(...picture(given.value, reading), make("p", words), ...list);
    }

    function answer({ value, half, text }, reading) {
      const where = described(data.settings[reading.setting]);
      const named = [`${data.curves[reading.curve][1]}, ${reading.kind}`, where].filter(Boolean).join(", ");
      const name = `${text} (${named})`;
      if (reading.low === undefined) {
        const runs = `${reading.n} ${reading.n === 1 ? "run is" : "runs are"}`;
        return { words: `${name}: cannot tell, since only ${runs} recorded.`, causes: [] };
      }
      const [centre, low, high] = reading.texts;
      const runs = `n = ${reading.n}` + (reading.units ? `, held out in ${reading.units} ways` : "");
      const range = `one more run of ours would lie between ${low} and ${high} (mean ${centre}, ${runs})`;
      if (holds(reading, value, half)) {
        const little = `. That it lies inside says little: more than ±${reading.precision} is too wide to tell`;
        return { words: `${name}: inside; ${range}${reading.telling ? "" : little}.`, causes: [] };
      }
      const causes = explaining(value, half, reading);
      const told = causes.length
        ? "Of what our own runs know, this leads there:"
        : "No other reading of our runs leads there: we cannot tell why.";
      const side = value > reading.centre ? "above" : "below";
      const far = reading.error ? `${away(reading, value).toFixed(1)} standard errors ` : ""; // equal runs have none
      return { words: `${name}: outside, ${far}${side} our mean; ${range}. ${told}`, causes };
    }

    function explaining(value, half, reading) {
      const other = readings
        .filter((r) => r !== reading && r.low !== undefined && r.telling && holds(r, value, half))
        .map((r) => ({ reading: r, ...changed(reading, r) }))
        .filter((found) => found.count !== undefined)
        .sort((a, b) => a.count - b.count || away(a.reading, value) - away(b.reading, value));
      const stopped = other.filter((found) => found.reading.kind.startsWith("epoch "));
      return other
        .filter((found) => !stopped.slice(1).includes(found))
        .slice(0, SHOWN)
        .map((found) => cause(found, reading));
    }

    function cause({ reading: other, words }, reading) {
      const [centre, low, high] = other.texts;
      const digits = (centre.split(".")[1] ?? "").length;
      const shift = signed(other.centre - reading.centre, digits);
      return `${words}: our mean is then ${centre} (${shift}), one further run ${low} to ${high}, n = ${other.n}`;
    }

    /* How many things are other in a reading, and which, in words; nothing where that is too much to be a cause. */
    function changed(reading, other) {
      const [curve, otherCurve] = [reading, other].map((r) => data.curves[r.curve][0]);
      const [own, its] = [reading, other].map((r) => new Map(data.settings[r.setting]));
      const names = [...new Set([...own.keys(), ...its.keys()])].filter((name) => own.get(name) !== its.get(name)).sort();
      if (curve.slice(curve.indexOf("_")) !== otherCurve.slice(otherCurve.indexOf("_"))) return {};
      if (names.length > MOST_CHANGED) return {};
      if (curve === otherCurve && other.kind === reading.kind) {
        const pairs = names.map((name) => `${name} ${its.get(name) ?? "None"} in place of ${own.get(name) ?? "None"}`);
        return { count: names.length, words: pairs.join(", ") };
      }
      if (names.length) return {};
      if (curve === otherCurve) {
        const known = { "best epoch": "the best epoch in place of the last", "other splits": "other splits of the data" };
        return { count: 1, words: known[other.kind] ?? `stopped after ${other.kind}` };
      }
      if (other.kind !== reading.kind) return {};
      const parts = {
        running: "averaged over the epoch's batches in training mode, not in evaluation mode",
        train: "measured on the training part",
        val: "measured on the validation part",
      };
      return { count: 1, words: parts[otherCurve.slice(0, otherCurve.indexOf("_"))] };
    }
  }

  function choice(names, selected) {
    const made = make("select", names.map((name) => make("option", name)));
    made.selectedIndex = selected;
    return made;
  }

  function labelled(words, field) {
    return make("label", [make("span", words), field]);
  }

  const described = (pairs) => pairs.map(([name, value]) => `${name} ${value}`).join(", ");
  const holds = (reading, value, half) => reading.low - half <= value && value <= reading.high + half;

  function away(reading, value) {
    if (reading.error) return Math.abs(value - reading.centre) / reading.error;
    return value === reading.centre ? 0 : Infinity;
  }

  function signed(value, digits) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return (value < 0 ? "−" : "+") + Math.abs(value).toLocaleString("en-US", options);
  }

  /* A number as a reader writes it, with a decimal point or comma: its value and half a unit of its last digit. */
  function read(words) {
    const text = words.trim().replace(",", ".").replace("−", "-");
    const found = /^[+-]?(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?$/i.exec(text);
    if (!found) return null;
    const places = (found[1].split(".")[1] ?? "").length - Number(found[2] ?? 0);
    return { value: Number(text), half: Number(`5e${-places - 1}`), text };
  }

  /* Where the number lies: the interval of one further run as a bar, our mean as a line, the number as a diamond. */
  function picture(value, reading) {
    if (reading.low === undefined) return [];
    const ends = [Math.min(reading.low, value), Math.max(reading.high, value)];
    const span = ends[1] - ends[0] || 1;
    const at = (x) => `${(6 + (88 * (x - ends[0])) / span).toFixed(2)}%`;
    const anchor = (x) => ((x - ends[0]) / span < 0.25 ? "start" : (x - ends[0]) / span > 0.75 ? "end" : "middle");
    const svg = drawn("svg", { class: "another-strip", width: "100%", height: 58, "aria-hidden": "true" });
    const bar = { x: at(reading.low), y: 22, width: `${((88 * (reading.high - reading.low)) / span).toFixed(2)}%`, height: 12 };
    svg.append(
      drawn("line", { class: "another-axis", x1: "2%", x2: "98%", y1: 40, y2: 40 }),
      drawn("rect", { class: "another-bar", ...bar }),
      drawn("line", { class: "another-mean", x1: at(reading.centre), x2: at(reading.centre), y1: 18, y2: 38 }),
      drawn("text", { x: at(reading.low), y: 54, "text-anchor": anchor(reading.low) }, reading.texts[1]),
      drawn("text", { x: at(reading.high), y: 54, "text-anchor": anchor(reading.high) }, reading.texts[2]),
      drawn("text", { class: "another-yours", x: at(value), y: 12, "text-anchor": anchor(value) }, "yours")
    );
    const mark = drawn("svg", { x: at(value), y: 28, overflow: "visible" });
    mark.append(drawn("path", { class: "another-mark", d: "M0-8 8 0 0 8-8 0z" }));
    svg.append(mark);
    return [svg];
  }

  function drawn(name, attributes, words = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = words;
    return made;
  }

  for (const box of document.querySelectorAll("section.another")) start(box);
})();
