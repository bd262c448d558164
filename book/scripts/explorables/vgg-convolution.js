/* A kernel that runs over a picture: its size, stride and padding, how large the output is, and how often each pixel is read.

   `Convolution` is plain arithmetic; a test compares it with what PyTorch's convolution reads. */
"use strict";

window.Convolution = (() => {
  /* The side of the output; 0 where the kernel does not fit. */
  const side = (input, kernel, stride, padding) => Math.max(0, Math.floor((input + 2 * padding - kernel) / stride) + 1);

  /* How often each place of one side is read, and how often a place of the padding. */
  function reads(input, kernel, stride, padding) {
    const counts = Array(input).fill(0);
    for (let out = 0; out < side(input, kernel, stride, padding); out += 1) {
      for (let k = 0; k < kernel; k += 1) {
        const at = out * stride - padding + k;
        if (at >= 0 && at < input) counts[at] += 1;
      }
    }
    return counts;
  }

  /* How many of the input × input pixels no kernel reads. */
  function unread(input, kernel, stride, padding) {
    const seen = reads(input, kernel, stride, padding).filter(Boolean).length;
    return input * input - seen * seen;
  }

  return { side, reads, unread };
})();

(() => {
  const { side, reads, unread } = window.Convolution;
  const { slider, button, below, drawn } = window.Fields;
  const box = document.getElementById("explore-vgg-convolution");
  if (!box) return;
  const CELL = 11; // of the drawing's units
  const MOST = 32;

  const grid = drawn("svg", { class: "idea explorable-grid", viewBox: `0 0 ${(MOST + 4) * CELL} ${(MOST + 4) * CELL}`, role: "img" });
  const input = slider("input", "picture", [4, MOST, 1], 8, show, (n) => `${n} × ${n}`);
  const kernel = slider("kernel", "kernel", [1, 7, 1], 3, show, (n) => `${n} × ${n}`);
  const stride = slider("stride", "stride", [1, 4, 1], 1, show);
  const padding = slider("padding", "padding", [0, 3, 1], 1, show);
  let at = 0;
  const step = button("Move the kernel", () => {
    at += 1;
    show();
  });
  const alex = button("The AlexNet that skips pixels", () => {
    for (const [name, value] of Object.entries({ input: 32, kernel: 3, stride: 4, padding: 0 })) {
      const field = box.querySelector(`[data-name=${name}]`);
      field.value = value;
      field.dispatchEvent(new Event("input"));
    }
  });
  const words = below(box, [input, kernel, stride, padding, step, alex], grid);

  function show() {
    const [n, k, s, p] = [input, kernel, stride, padding].map((field) => field.value());
    const out = side(n, k, s, p);
    const counts = reads(n, k, s, p);
    const most = Math.max(...counts) ** 2 || 1;
    const cell = Math.min(26, ((MOST + 4) * CELL) / (n + 2 * p));
    const edge = (n + 2 * p) * cell;
    grid.setAttribute("viewBox", `0 0 ${edge} ${edge}`);
    grid.setAttribute("width", edge);
    grid.setAttribute("height", edge);
    grid.replaceChildren(
      drawn("rect", { width: edge, height: edge, fill: "var(--idea-soft,#e4e1da)" }),
      drawn("rect", { x: p * cell, y: p * cell, width: n * cell, height: n * cell, fill: "var(--idea-paper,#ffffff)" })
    );
    counts.forEach((down, y) =>
      counts.forEach((across, x) => {
        const place = { x: (x + p) * cell, y: (y + p) * cell, width: cell, height: cell };
        const read = { fill: "var(--idea-second,#2a7f62)", "fill-opacity": (0.15 + (0.75 * down * across) / most).toFixed(3) };
        const never = { fill: "none" };
        const line = { stroke: "var(--idea-ink,#1b1b1b)", "stroke-width": 0.4 };
        const rect = drawn("rect", { ...place, ...(down * across ? read : never), ...line });
        rect.dataset.reads = down * across;
        grid.append(rect);
      })
    );
    if (out) {
      at %= out * out;
      const [row, column] = [Math.floor(at / out), at % out];
      const place = { x: column * s * cell, y: row * s * cell, width: k * cell, height: k * cell };
      grid.append(drawn("rect", { ...place, fill: "none", stroke: "var(--idea-accent,#c2560c)", "stroke-width": 3 }));
    }
    const gone = unread(n, k, s, p);
    const size = out ? `The output has ${out} × ${out} places.` : "The kernel does not fit: there is no output.";
    const missed = gone ? `${gone} of ${n * n} pixels are never read.` : "Every pixel is read.";
    words.textContent = `${size} ${out ? missed : ""} The darker a pixel, the more places read it.`.replace("  ", " ");
    grid.setAttribute("aria-label", words.textContent);
  }

  show();
})();
