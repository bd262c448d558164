/* How much noise? A slider moves recorded digits through two recorded networks: the autoencoder, and the one without a bottleneck.

   The pictures are those of the chapter's record (denoise-levels.js, made by tools/denoise_levels.py): nothing is computed here. */
"use strict";

(() => {
  const box = document.getElementById("explore-denoising-autoencoder");
  if (!box) return;
  const own = document.currentScript?.src ?? "";
  const data = document.createElement("script");
  data.src = own.replace(/explorables\/[^/]*$/, "denoise-levels.js");
  data.addEventListener("load", start);
  document.head.append(data);

  function start() {
    const { slider, below } = window.Fields;
    const { inputs, outputs, psnr } = window.DenoiseLevels;
    const SIDE = 28;
    const names = { denoise: "autoencoder after six epochs", "no bottleneck": "without a bottleneck" };
    const drawn = {};
    const row = Object.assign(document.createElement("div"), { className: "explorable-fields denoise-pictures" });
    for (const [key, label] of Object.entries({ input: "noisy", ...names })) {
      const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
      canvas.setAttribute("role", "img");
      Object.assign(canvas.style, { width: "6.5rem", height: "6.5rem", imageRendering: "pixelated" });
      const figure = document.createElement("figure");
      figure.style.margin = "0";
      figure.style.textAlign = "center";
      const caption = document.createElement("figcaption");
      figure.append(canvas, caption);
      row.append(figure);
      drawn[key] = { canvas, caption, label };
    }
    const noise = slider("noise", "noise", [0, 1, 0.1], 0.5, show, (value) => value.toFixed(1));
    const digit = slider("digit", "digit", [1, inputs[0].length, 1], 1, show);
    const words = below(box, [noise, digit], row);

    function paint({ canvas, caption, label }, signs, more = "") {
      const context = canvas.getContext("2d");
      const image = context.createImageData(SIDE, SIDE);
      [...signs].forEach((sign, i) => {
        const grey = Math.round(((sign.charCodeAt(0) - 48) * 255) / 63);
        image.data.set([grey, grey, grey, 255], 4 * i);
      });
      context.putImageData(image, 0, 0);
      canvas.dataset.signs = signs;
      caption.textContent = label;
      canvas.setAttribute("aria-label", `${label}, digit ${digit.value()}, noise ${noise.value().toFixed(1)}${more}`);
    }

    function show() {
      const level = Math.round(noise.value() * 10);
      const at = digit.value() - 1;
      paint(drawn.input, inputs[level][at]);
      for (const name of Object.keys(names)) paint(drawn[name], outputs[name][level][at], `, ${psnr[name][level]} dB`);
      const told = Object.entries(names).map(([name, label]) => `${label} ${psnr[name][level].toFixed(1)} dB`);
      words.textContent =
        `Noise of ${noise.value().toFixed(1)}. Mean PSNR over 1,000 digits: ${told.join(", ")}. ` +
        (level === 5 ? "This is the noise that both were trained on." : "Both were trained on a noise of 0.5 only.");
    }

    show();
  }
})();
