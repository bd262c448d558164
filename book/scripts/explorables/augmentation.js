/* A picture that is moved, mirrored, and seen through a window over its padded self: what a network is shown as "the same".

   `Moves` does with a list of rows what `shift_images` and a flip of the package do; a test compares them. */
"use strict";

window.Moves = (() => {
  const within = (at, length) => Math.min(Math.max(at, 0), length - 1);

  /* The picture moved by whole pixels, right and down; the pixels of its edge fill what comes free. */
  const shifted = (rows, right, down) =>
    rows.map((row, y) => row.map((_, x) => rows[within(y - down, rows.length)][within(x - right, row.length)]));

  const mirrored = (rows) => rows.map((row) => [...row].reverse());

  return { shifted, mirrored };
})();

(() => {
  const { shifted, mirrored } = window.Moves;
  const { slider, checkbox, button, below, drawn } = window.Fields;
  const box = document.getElementById("explore-augmentation");
  if (!box) return;
  /* A drawn sailing boat, 12 × 12, from 0 (sky) to 3. */
  const PICTURE = [
    "000000000000", "000001000000", "000001200000", "000001220000", "000001222000", "000001222200",
    "000001222220", "000001000000", "033333333330", "003333333300", "111111111111", "111111111111",
  ].map((row) => [...row].map(Number));
  const SIDE = PICTURE.length;
  const CELL = 15;
  const COLOURS = ["var(--idea-soft,#e4e1da)", "var(--idea-ink,#1b1b1b)", "var(--idea-second,#2a7f62)", "var(--idea-accent,#c2560c)"];

  const edge = SIDE * CELL;
  const grid = drawn("svg", { class: "idea explorable-grid", viewBox: `0 0 ${edge} ${edge}`, width: edge, height: edge, role: "img" });
  const signed = (value) => (value < 0 ? `−${-value}` : String(value));
  const right = slider("right", "right", [-4, 4, 1], 0, show, signed);
  const down = slider("down", "down", [-4, 4, 1], 0, show, signed);
  const flip = checkbox("flip", "mirrored", false, show);
  const draw = button("Draw one, as in training", () => {
    for (const name of ["right", "down"]) set(name, Math.floor(Math.random() * 9) - 4);
    box.querySelector("[data-name=flip]").checked = Math.random() < 0.5;
    show();
  });
  const words = below(box, [right, down, flip, draw], grid);

  function set(name, value) {
    const field = box.querySelector(`[data-name=${name}]`);
    field.value = value;
    field.dispatchEvent(new Event("input"));
  }

  function show() {
    const moved = shifted(PICTURE, right.value(), down.value());
    const seen = flip.value() ? mirrored(moved) : moved;
    grid.replaceChildren(
      ...seen.flatMap((row, y) =>
        row.map((value, x) => {
          const rect = drawn("rect", { x: x * CELL, y: y * CELL, width: CELL + 0.3, height: CELL + 0.3, fill: COLOURS[value] });
          rect.dataset.value = value;
          return rect;
        })
      )
    );
    const same = seen.flat().filter((value, i) => value === PICTURE.flat()[i]).length;
    words.textContent =
      `To us it is the same boat. ${same} of ${SIDE * SIDE} pixels still have their old value: ` +
      "that is what a network sees that reads every pixel at its place.";
    grid.setAttribute("aria-label", `A boat, moved by ${signed(right.value())} and ${signed(down.value())}. ${words.textContent}`);
  }

  show();
})();
