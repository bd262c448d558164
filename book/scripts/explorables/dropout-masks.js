/* Dropout: the rate, and the next mask. The drawing's two rows of training show the last two masks, each unit what it is multiplied by.

   `DropoutMasks.apply` is what `torch.nn.functional.dropout` does with a given mask; a test compares the two. */
"use strict";

window.DropoutMasks = (() => {
  /* Values after dropout in training: what the mask keeps is divided by the share that is kept on average. */
  const apply = (values, kept, rate) => values.map((value, i) => (kept[i] ? value / (1 - rate) : 0));

  /* Which of n units a mask keeps, each with probability 1 − rate; `random` gives numbers from 0 to 1. */
  const mask = (n, rate, random) => Array.from({ length: n }, () => random() >= rate);

  return { apply, mask };
})();

(() => {
  const { apply, mask } = window.DropoutMasks;
  const { slider, button, below, number } = window.Fields;
  const box = document.getElementById("explore-dropout-masks");
  if (!box) return;
  const drawing = box.querySelector("svg");
  const circles = [...drawing.querySelectorAll("circle")];
  const UNITS = 8;
  const heights = [...new Set(circles.map((circle) => circle.getAttribute("cy")))];
  const rows = heights.slice(0, 2).map((y) => circles.filter((circle) => circle.getAttribute("cy") === y));
  const scaled = [...drawing.querySelectorAll("text")].find((text) => text.textContent.startsWith("rate"));
  if (rows.some((row) => row.length !== UNITS)) return;

  /* The marks of the still drawing, factors and crosses, make room for those of the script. */
  for (const text of drawing.querySelectorAll("text")) if (/^×[^1]/.test(text.textContent)) text.remove();
  for (const path of drawing.querySelectorAll("path")) path.remove();
  const marks = rows.map((row) =>
    row.map((circle) => {
      const at = { x: circle.getAttribute("cx"), y: Number(circle.getAttribute("cy")) + 5 };
      const text = window.Fields.drawn("text", { ...at, "font-size": 13, "text-anchor": "middle", "font-weight": 600 });
      circle.after(text);
      return text;
    })
  );

  let masks = rows.map((row) => row.map((circle) => !circle.hasAttribute("stroke-dasharray"))); // those of the drawing, first
  let sums = Array(UNITS).fill(0);
  let seen = 0;
  const rate = slider("rate", "rate", [0, 0.9, 0.05], 0.5, restart, (value) => value.toFixed(2));
  const words = below(box, [rate, button("Next mask", () => next(1)), button("100 masks", () => next(100))]);

  function restart() {
    sums = Array(UNITS).fill(0);
    seen = 0;
    next(2);
  }

  function next(times) {
    for (let i = 0; i < times; i += 1) take(mask(UNITS, rate.value(), Math.random));
    show();
  }

  function take(kept) {
    apply(Array(UNITS).fill(1), kept, rate.value()).forEach((value, k) => (sums[k] += value));
    masks = [masks[1], kept];
    seen += 1;
  }

  function show() {
    const factor = 1 / (1 - rate.value());
    rows.forEach((row, r) =>
      row.forEach((circle, k) => {
        const kept = masks[r][k];
        circle.setAttribute("fill", kept ? "var(--idea-accent,#c2560c)" : "var(--idea-paper,#ffffff)");
        circle.setAttribute("stroke-dasharray", kept ? "none" : "3 3");
        marks[r][k].textContent = kept ? `×${number(factor, factor < 10 ? 1 : 0)}` : "0";
        marks[r][k].setAttribute("fill", kept ? "var(--idea-paper,#ffffff)" : "var(--idea-ink,#1b1b1b)");
      })
    );
    if (scaled) scaled.textContent = `rate ${number(rate.value())}: what survives is multiplied by ${number(factor)}`;
    const off = masks[1].filter((kept) => !kept).length;
    const means = sums.map((sum) => sum / seen);
    const [least, most] = [Math.min(...means), Math.max(...means)].map((mean) => number(mean));
    words.textContent =
      `${off} of ${UNITS} units are off in the last mask. Over ${seen} masks the units give ${least} to ${most} of their value ` +
      "in the mean; in evaluation, without a mask, exactly 1.";
    drawing.setAttribute("aria-label", `Dropout with a rate of ${number(rate.value())}. ${words.textContent}`);
  }

  masks.forEach(take);
  show();
})();
