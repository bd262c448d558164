/* Explore the runs: curves with their spread, and what each further run tells. On the page of that name, and in a panel of each chapter.

   Curves are drawn by uPlot (see its folder). The runs of a chapter are a script of their own, fetched when they are asked for. */
(function () {
  "use strict";

  const HERE = document.currentScript.src.replace(/explore\.js.*$/, "");
  const AT = { last: "the last epoch", val_loss: "each run's best epoch by validation loss" };
  const chapters = new Map(); // name: promise of its runs
  const waiting = new Map();

  window.companionRuns = (chapter, data) => waiting.get(chapter)(data);

  function fetched(address) {
    return new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: HERE + address, onload: done, onerror: failed });
      document.head.append(script);
    });
  }

  function runsOf(chapter) {
    if (!chapters.has(chapter)) {
      const arrived = new Promise((done) => waiting.set(chapter, done));
      chapters.set(chapter, fetched(`runs/${chapter}.js`).then(() => arrived));
    }
    return chapters.get(chapter);
  }

  function make(name, content = [], properties = {}) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[content].flat());
    return made;
  }

  async function start(box) {
    const listed = box.querySelector(".explore-chapters");
    const titles = listed ? JSON.parse(listed.textContent) : [[box.dataset.chapter, ""]];
    const page = Boolean(listed);
    const form = box.querySelector("form");
    const [curvesBox, stepsBox] = box.querySelectorAll("figure > div");
    const [curvesWords, stepsWords] = box.querySelectorAll("figcaption");
    const said = box.querySelector(".explore-said");
    const asked = page ? new URLSearchParams(location.search) : new URLSearchParams();
    const fields = {
      chapter: labelled("Chapter", choice(titles.map(([, title]) => title))),
      setting: labelled("Runs with", choice([])),
      beside: labelled("beside", choice([])),
      metric: labelled("Metric", choice([])),
      at: labelled("read at", choice([])),
      n: labelled("How many runs", make("input", [], { type: "range", min: 1, step: 1 })),
      single: labelled("single runs", make("input", [], { type: "checkbox" })),
    };
    const count = make("output");
    const draw = make("button", "Draw one run, as the student did", { type: "button" });
    const shuffle = make("button", "Another order", { type: "button" });
    for (const [name, { label, field }] of Object.entries(fields)) {
      if (name === "n") label.append(count);
      if (name !== "chapter" || page) form.append(label);
    }
    form.append(shuffle, draw);
    const drawn = make("p");
    let [data, order, plots, frame] = [null, Number(asked.get("order")) || 0, [], 0];

    fields.chapter.field.selectedIndex = Math.max(0, titles.findIndex(([name]) => name === asked.get("chapter")));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      if (event.target === fields.chapter.field) return take(new URLSearchParams());
      if (event.target === fields.setting.field) bound();
      drawn.textContent = "";
      later();
    });
    shuffle.addEventListener("click", () => {
      order += 1;
      later();
    });
    draw.addEventListener("click", () => {
      drawn.textContent = one();
      if (!drawn.isConnected) said.append(drawn);
    });
    new ResizeObserver(later).observe(curvesBox);
    new MutationObserver(later).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("beforeprint", show);
    await take(asked);

    /* Fetch the chosen chapter's runs and fill the fields with what they have. */
    async function take(wanted) {
      try {
        [data] = await Promise.all([runsOf(chosenChapter()), window.uPlot ? null : fetched("uplot/uPlot.iife.min.js")]);
      } catch {
        said.replaceChildren(make("p", "The runs could not be fetched: the site's folder scripts/runs is missing or cannot be read."));
        return;
      }
      const names = data.settings.map(({ name, runs }) => `${name} (${runs.length})`);
      fill(fields.setting.field, names, index(wanted.get("setting"), data.first[1]));
      fill(fields.beside.field, ["nothing", ...names], index(wanted.get("beside"), 0));
      fill(fields.metric.field, data.curves.map(([, words]) => words), index(wanted.get("metric"), data.first[0]));
      fill(fields.at.field, data.kinds.map(([kind]) => AT[kind] ?? "each run's best epoch by validation accuracy"), index(wanted.get("at"), 0));
      fields.single.field.checked = wanted.get("single") === "1";
      bound(Number(wanted.get("n")));
      form.hidden = box.querySelector(".explore-figures").hidden = false;
      box.querySelector(".explore-without").hidden = true;
      show();
    }

    function chosen() {
      return data.settings[fields.setting.field.selectedIndex];
    }

    function chosenChapter() {
      return titles[fields.chapter.field.selectedIndex][0];
    }

    /* The slider goes to the number of runs; of units with several runs each, to the runs of each. */
    function bound(n) {
      const most = Math.max(...unitsOf(chosen()).map((unit) => unit.length));
      fields.n.field.max = most;
      fields.n.field.value = n >= 1 && n <= most ? n : most;
    }

    function later() {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(show);
    }

    function show() {
      if (!data) return;
      const c = fields.metric.field.selectedIndex;
      const n = Number(fields.n.field.value);
      const units = unitsOf(chosen(), order);
      const runs = units.flatMap((unit) => unit.slice(0, n)).filter((run) => run[2][c].length);
      const other = fields.beside.field.selectedIndex ? data.settings[fields.beside.field.selectedIndex - 1] : null;
      count.textContent = ` ${n} of ${fields.n.field.max}${units.length > 1 ? ` of each of ${units.length}` : ""}`;
      for (const plot of plots) plot.destroy();
      plots = [];
      keep();
      if (!runs.length) {
        said.replaceChildren(make("p", "These runs have no such metric."));
        return;
      }
      const colours = look(box);
      const sets = [{ name: chosen().name, curves: runs.map((run) => run[2][c]), colour: colours.first }];
      if (other) sets.push({ name: other.name, curves: other.runs.map((run) => run[2][c]).filter((x) => x.length), colour: colours.second });
      plots.push(curvesPlot(curvesBox, sets, fields.single.field.checked, colours));
      curvesWords.textContent =
        `${capital(data.curves[c][1])} by epoch: mean and, as a band, one standard deviation on either side; ` +
        sets.map((set, i) => `${i ? "dashed" : "full line"}: ${set.name}, n = ${set.curves.length}`).join("; ") + ".";
      const steps = stepsOf(units, c);
      const claims = claimsHere();
      plots.push(stepsPlot(stepsBox, steps, claims, n, colours));
      stepsWords.textContent =
        `The runs of ${chosen().name}, one by one, at ${fields.at.field.selectedOptions[0].textContent}: each run a dot; wide band: where one further run would lie; ` +
        "narrow band: the mean" + (claims.length ? "; dashed lines: what the reports print." : ".");
      const lines = words(steps[n - 1], claims, other, c);
      said.replaceChildren(...lines.map((line) => make("p", linked(line, claims))), drawn);
      box.dataset.said = lines.join(" ");
      curvesBox.setAttribute("aria-label", curvesWords.textContent);
      stepsBox.setAttribute("aria-label", lines.join(" "));
    }

    function claimsHere() {
      const here = [fields.setting, fields.metric, fields.at].map(({ field }) => field.selectedIndex);
      return data.claims.filter((claim) => here.every((value, i) => claim[i] === value));
    }

    function valueOf(run, c) {
      const kind = data.kinds[fields.at.field.selectedIndex];
      const values = run[2][c];
      if (kind[0] === "last" || !values.length) return values.at(-1);
      const by = run[2][data.curves.findIndex(([name]) => name === kind[0])];
      if (!by.length) return undefined;
      return values[by.indexOf(kind[1] ? Math.max(...by) : Math.min(...by))];
    }

    /* After 1, 2, … runs (of each unit): the values, the interval of one further run, that of the mean. */
    function stepsOf(units, c) {
      const [least, most] = data.curves[c][2];
      const clip = (low, high) => [least === null ? low : Math.max(low, least), most === null ? high : Math.min(high, most)];
      const steps = [];
      for (let n = 1; n <= Number(fields.n.field.max); n += 1) {
        const groups = units.map((unit) => unit.slice(0, n).map((run) => valueOf(run, c)).filter((x) => x !== undefined));
        const nested = units.length > 1;
        const enough = nested ? Math.min(...groups.map((group) => group.length)) > 1 : groups[0].length > 1;
        const found = enough ? (nested ? runStatistics.nestedScatter(groups) : runStatistics.scatter(groups[0])) : null;
        const centre = found?.centre ?? runStatistics.mean(groups.map(runStatistics.mean));
        steps.push({
          values: groups.flat(),
          added: units.map((unit) => unit[n - 1]).filter(Boolean).map((run) => valueOf(run, c)),
          units: nested ? groups.length : 0,
          found,
          centre,
          further: found && clip(centre - found.reach, centre + found.reach),
          mean: found && clip(centre - found.meanReach, centre + found.meanReach),
        });
      }
      return steps;
    }

    function words(step, claims, other, c) {
      const n = step.values.length;
      const who = n === 1 ? "1 run" : `${n} runs` + (step.units ? ` of ${step.units} units` : "");
      const lines = [];
      if (!step.found) {
        lines.push(`${who}: ${text(step.centre, 0.001)}. ${step.units ? "One run of each unit does" : "One run does"} not say how runs scatter: no interval, no verdict.`);
      } else {
        const width = step.further[1] - step.further[0];
        const [a, b] = [step.further, step.mean].map((ends) => ends.map((end) => text(end, width)).join(" to "));
        lines.push(`${who}: mean ${text(step.centre, width)}; one further run ${a}; the mean ${b} (95 %).`);
      }
      for (const [, , , row, report, printed, half, precision] of claims) {
        const word = step.found ? runStatistics.verdict(step.found, Number(printed), half, precision ?? Infinity) : "not yet tested";
        lines.push(`Report ${report} prints ${printed} (${row}): ${word}.`);
      }
      if (other) {
        const values = other.runs.map((run) => valueOf(run, c)).filter((value) => value !== undefined);
        if (values.length) lines.push(`Beside it, ${other.name}: mean ${text(runStatistics.mean(values), 0.001)} of ${values.length}.`);
      }
      return lines;
    }

    /* A line with the row of the ledger that it names as a link. */
    function linked(line, claims) {
      const row = claims.map((claim) => claim[3]).find((name) => line.includes(`(${name})`));
      if (!row) return line;
      const [before, after] = line.split(row);
      return [before, make("a", row, { href: `ledger.html#${row}` }), after];
    }

    function one() {
      const c = fields.metric.field.selectedIndex;
      const runs = chosen().runs.filter((run) => valueOf(run, c) !== undefined);
      const run = runs[Math.floor(Math.random() * runs.length)];
      const [value, all] = [valueOf(run, c), runs.map((other) => valueOf(other, c))];
      const below = all.filter((other) => other < value).length;
      const where = run[1] === null ? `seed ${run[0]}` : `${run[1]}, seed ${run[0]}`;
      return `One run (${where}): ${text(value, 0.001)}. Whoever makes only this one reports it; ${below} of the other ${runs.length - 1} of ours lie below it, and our mean is ${text(runStatistics.mean(all), 0.001)}. Draw again.`;
    }

    /* The address of the page keeps the view. */
    function keep() {
      if (!page) return;
      const state = new URLSearchParams({ chapter: chosenChapter() });
      for (const name of ["setting", "beside", "metric", "at"]) state.set(name, fields[name].field.selectedIndex);
      state.set("n", fields.n.field.value);
      if (fields.single.field.checked) state.set("single", "1");
      if (order) state.set("order", order);
      try {
        history.replaceState(null, "", `${location.pathname}?${state}`);
      } catch {
        // some browsers refuse this for files; the page works all the same
      }
    }
  }

  /* The runs of a setting by unit, in the order of the seeds, or in another one. */
  function unitsOf(setting, order = 0) {
    const units = new Map();
    for (const run of setting.runs) units.set(run[1], [...(units.get(run[1]) ?? []), run]);
    return [...units.values()].map((runs) => (order ? shuffled(runs, order) : runs));
  }

  /* The same order for the same number, so that a link shows what it showed. */
  function shuffled(runs, order) {
    let state = order * 2654435761 + runs.length;
    const key = () => ((state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0), state);
    return runs.map((run) => [key(), run]).sort(([a], [b]) => a - b).map(([, run]) => run);
  }

  function curvesPlot(box, sets, single, colours) {
    const epochs = Math.max(...sets.flatMap((set) => set.curves.map((curve) => curve.length)));
    const rows = [Array.from({ length: epochs }, (_, i) => i + 1)];
    const series = [{}];
    const bands = [];
    for (const [i, set] of sets.entries()) {
      const at = rows[0].map((_, e) => set.curves.map((curve) => curve[e]).filter((value) => value !== undefined));
      const centre = at.map((values) => (values.length ? runStatistics.mean(values) : null));
      const spread = at.map((values, e) => Math.sqrt(values.reduce((sum, x) => sum + (x - centre[e]) ** 2, 0) / Math.max(1, values.length - 1)));
      rows.push(centre, centre.map((x, e) => x + spread[e]), centre.map((x, e) => x - spread[e]));
      const first = series.length;
      series.push({ stroke: set.colour, width: 2.5, dash: i ? [8, 5] : [], points: { show: epochs < 3 } }, edge(), edge());
      bands.push({ series: [first + 1, first + 2], fill: set.colour + "33" });
    }
    const every = sets.flatMap((set) => set.curves.map((curve) => [curve, set.colour]));
    const draw = (u) => {
      u.ctx.save();
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.globalAlpha = Math.max(0.15, Math.min(0.8, 12 / every.length));
      for (const [curve, colour] of every) {
        u.ctx.strokeStyle = colour;
        u.ctx.beginPath();
        curve.forEach((value, e) => u.ctx.lineTo(u.valToPos(e + 1, "x", true), u.valToPos(value, "y", true)));
        u.ctx.stroke();
      }
      u.ctx.restore();
    };
    const range = single ? reach(every.flatMap(([curve]) => curve)) : reach(rows.slice(1).flat());
    return plot(box, { series, bands, hooks: single ? { draw: [draw] } : {} }, rows, range, "epoch", colours);
  }

  function stepsPlot(box, steps, claims, n, colours) {
    const ends = (name, i) => steps.map((step, k) => (k < n && step[name] ? step[name][i] : null));
    const rows = [steps.map((_, k) => k + 1), ends("further", 1), ends("further", 0), ends("mean", 1), ends("mean", 0), steps.map((step, k) => (k < n ? step.centre : null))];
    const series = [{}, edge(), edge(), edge(), edge(), { stroke: colours.first, width: 2, points: { show: n < 3 } }];
    const bands = [{ series: [1, 2], fill: colours.first + "2e" }, { series: [3, 4], fill: colours.first + "59" }];
    const printed = claims.map((claim) => Number(claim[5]));
    const draw = (u) => {
      u.ctx.save();
      u.ctx.fillStyle = u.ctx.strokeStyle = colours.ink;
      for (const [k, step] of steps.slice(0, n).entries()) {
        for (const value of step.added) {
          u.ctx.beginPath();
          u.ctx.arc(u.valToPos(k + 1, "x", true), u.valToPos(value, "y", true), 3.5 * devicePixelRatio, 0, 7);
          u.ctx.fill();
        }
      }
      u.ctx.strokeStyle = colours.report;
      u.ctx.lineWidth = 2 * devicePixelRatio;
      u.ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const value of printed) {
        u.ctx.beginPath();
        u.ctx.moveTo(u.bbox.left, u.valToPos(value, "y", true));
        u.ctx.lineTo(u.bbox.left + u.bbox.width, u.valToPos(value, "y", true));
        u.ctx.stroke();
      }
      u.ctx.restore();
    };
    const values = [...steps.flatMap((step) => step.values), ...printed];
    const late = steps.slice(Math.min(2, steps.length - 1)).flatMap((step) => step.further ?? []); // that of two runs may be wide
    return plot(box, { series, bands, hooks: { draw: [draw] } }, rows, reach([...values, ...late]), "runs", colours);
  }

  const edge = () => ({ stroke: "transparent", points: { show: false } });

  function reach(values) {
    const known = values.filter((value) => value !== null);
    const [low, high] = known.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low - room, high + room];
  }

  function plot(box, own, rows, range, label, colours) {
    const axis = { stroke: colours.ink, font: colours.font, labelFont: colours.font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
    const whole = (u, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : ""));
    const options = {
      width: Math.max(240, box.clientWidth),
      height: 260,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: (u, low, high) => [low - 0.5, high + 0.5] }, y: { range: () => range } },
      axes: [{ ...axis, label, labelSize: 18, size: 28, values: whole }, { ...axis, size: 62 }],
      ...own,
    };
    return new window.uPlot(options, rows, box);
  }

  function look(box) {
    const style = getComputedStyle(box);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      first: colour("--explore-first"),
      second: colour("--explore-second"),
      report: colour("--explore-report"),
      ink: colour("--explore-ink"),
      grid: colour("--explore-grid"),
      font: `14px ${style.fontFamily}`,
    };
  }

  function choice(names) {
    const made = make("select");
    fill(made, names, 0);
    return made;
  }

  function fill(select, names, selected) {
    select.replaceChildren(...names.map((name) => make("option", name)));
    select.selectedIndex = selected < names.length ? selected : 0;
  }

  function labelled(words, field) {
    return { label: make("label", [make("span", words), field]), field };
  }

  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  function index(given, otherwise) {
    return /^\d+$/.test(given ?? "") ? Number(given) : otherwise;
  }

  /* With as many decimals as leave two digits of this width. */
  function text(value, width) {
    const places = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(width || 0.001))));
    return (value < 0 ? "−" : "") + Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  for (const box of document.querySelectorAll(".explore")) {
    if (box.tagName !== "DETAILS") start(box);
    else box.addEventListener("toggle", () => start(box), { once: true });
  }
})();
