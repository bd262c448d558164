/* Boxes that scroll can be reached and named by keyboard, also those that show only when something is unfolded; and a drawer that
   closes gives the focus back. A link into a fold opens it, and on paper every fold is open.

   Which boxes scroll depends on the window, so this is no matter for the build. The theme does it once, for the boxes that are in sight
   when the page opens; this watches them. Without this script the browsers that can focus scrolling boxes do so unnamed. */
(function () {
  "use strict";

  const KINDS = [
    ["Table", ".claims-table, .output.text_html, .pst-scrollable-table-container"],
    ["Output", ".cell_output pre"],
    ["Code", "pre"],
  ];

  // "Code in: The network", after the heading of the section that holds the box.
  function nameOf(box) {
    const [kind] = KINDS.find(([, selector]) => box.matches(selector));
    const heading = box.closest("section")?.querySelector("h1, h2, h3, h4");
    const title = heading ? heading.firstChild.textContent.trim() : "";
    return title ? kind + " in: " + title : kind;
  }

  function update(box) {
    const style = getComputedStyle(box);
    const sideways = box.scrollWidth > box.clientWidth && /auto|scroll/.test(style.overflowX);
    const down = box.scrollHeight > box.clientHeight && /auto|scroll/.test(style.overflowY);
    if (sideways || down) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", nameOf(box));
    } else if (box.getAttribute("role") === "group") {
      box.removeAttribute("tabindex");
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
    }
  }

  const boxes = [...document.querySelectorAll(KINDS.map(([, selector]) => "main " + selector.replaceAll(", ", ", main ")).join(", "))];
  // The size of a box changes with the window and when it is unfolded.
  const watcher = new ResizeObserver((entries) => entries.forEach((entry) => update(entry.target)));
  boxes.forEach((box) => watcher.observe(box));

  // The theme forgets from where its drawers were opened.
  for (const side of ["primary", "secondary"]) {
    const toggle = document.querySelector(`button.${side}-toggle`);
    const drawer = document.getElementById(`pst-${side}-sidebar-modal`);
    drawer?.addEventListener("close", () => toggle?.focus());
  }

  // Folds: not every browser opens them for a link, and none for a printer.
  function arrive() {
    const place = document.getElementById(location.hash.slice(1));
    const folds = [];
    for (let fold = place && place.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])"))
      folds.push(fold);
    folds.forEach((fold) => (fold.open = true));
    if (folds.length) place.scrollIntoView();
  }
  window.addEventListener("hashchange", arrive);
  arrive();

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    opened.forEach((fold) => (fold.open = true));
  });
  window.addEventListener("afterprint", () => opened.forEach((fold) => (fold.open = false)));
})();
