// The front page's squares: each names its claim when one points at it, and leads to its row of the ledger.
//
// They are smaller than a finger, so a tap means the nearest one: it is named below, with a link to its row. By keyboard the squares of
// a report are one stop, and the arrow keys go from square to square. Without this script the figure is a picture with a description.
(function () {
  "use strict";

  const caption = document.querySelector(".front-claim");
  const rowOf = (square) => "ledger.html#" + square.dataset.claim;
  let chosen = null;

  function choose(square) {
    chosen?.setAttribute("aria-selected", "false");
    chosen = square;
    chosen.setAttribute("aria-selected", "true");
    chosen.parentNode.setAttribute("aria-activedescendant", chosen.id);
    const link = document.createElement("a");
    link.href = rowOf(square);
    link.textContent = square.dataset.claim;
    const status = document.createElement("b");
    status.textContent = square.textContent + " " + square.dataset.status;
    caption.replaceChildren(link, " ", square.dataset.words, ": ", status);
  }

  function nearest(squares, event) {
    const distance = (square) => {
      const box = square.getBoundingClientRect();
      return Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
    };
    return squares.reduce((best, square) => (distance(square) < distance(best) ? square : best));
  }

  for (const group of document.querySelectorAll(".squares")) {
    const squares = [...group.children];
    for (const square of squares) {
      square.id = "square-" + square.dataset.claim;
      square.setAttribute("role", "option");
      square.setAttribute("aria-selected", "false");
      square.setAttribute("aria-label", square.dataset.claim + ", " + square.dataset.words + ": " + square.dataset.status);
    }
    group.setAttribute("role", "listbox");
    group.setAttribute("aria-orientation", "horizontal");
    group.tabIndex = 0;
    group.addEventListener("focus", () => {
      if (group.matches(":focus-visible") && !squares.includes(chosen)) choose(squares[0]);
    });
    group.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && squares.includes(event.target)) choose(event.target);
    });
    group.addEventListener("click", (event) => {
      const square = nearest(squares, event);
      if (event.pointerType === "mouse" && squares.includes(event.target)) location.href = rowOf(square);
      else choose(square);
    });
    group.addEventListener("keydown", (event) => {
      const at = squares.indexOf(chosen);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: squares.length - 1 }[event.key];
      if (event.key === "Enter" && at >= 0) location.href = rowOf(chosen);
      else if (to !== undefined) choose(squares[Math.min(Math.max(to, 0), squares.length - 1)]);
      else return;
      event.preventDefault();
    });
  }
  caption.hidden = false;
})();
