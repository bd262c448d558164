/* The cards of glossary words. A mouse that rests on a word, or the keyboard that reaches it, shows the card; the first tap of a finger
   shows it and the second follows the link; Escape, a tap elsewhere, or going on closes it. While it is shown the card stands right
   behind its word, so that the Tab key reaches the links on it, and lies above the page, so that nothing moves. */
(function () {
  "use strict";

  const REST = 150, LEAVE = 250; // milliseconds: a mouse that only passes opens nothing; one may take its time to reach the card
  const GAP = 6, EDGE = 8; // pixels: between word and card, and to the edge of the window
  const home = document.querySelector(".term-cards");
  let shown = null, timer = 0, pressed = null, quiet = false;

  const cardOf = (link) => document.getElementById(link.getAttribute("aria-describedby").replace("meaning-", "card-"));
  const within = (target) => target instanceof Element && target.closest("a.term, .term-card");

  function place({ link, card }) {
    const lines = [...link.getClientRects()], last = lines[lines.length - 1];
    const page = card.offsetParent.getBoundingClientRect();
    const left = Math.max(EDGE, Math.min(last.left, document.documentElement.clientWidth - card.offsetWidth - EDGE));
    const fits = last.bottom + GAP + card.offsetHeight <= innerHeight || lines[0].top - GAP - card.offsetHeight < 0;
    const top = fits ? last.bottom + GAP : lines[0].top - GAP - card.offsetHeight;
    card.style.left = `${left - page.left}px`;
    card.style.top = `${top - page.top}px`;
  }

  function show(link) {
    clearTimeout(timer);
    if (shown?.link === link) return;
    hide();
    shown = { link, card: cardOf(link) };
    link.after(shown.card);
    place(shown);
  }

  function hide() {
    clearTimeout(timer);
    if (shown) home.append(shown.card);
    shown = null;
  }

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const over = within(event.target);
    clearTimeout(timer);
    if (over?.matches("a.term")) timer = setTimeout(show, shown ? LEAVE : REST, over);
    else if (shown && !over && !within(document.activeElement)) timer = setTimeout(hide, LEAVE);
  });

  document.addEventListener("pointerdown", (event) => {
    const link = within(event.target);
    pressed = event.pointerType === "touch" && link ? { link, open: shown?.link === link } : null;
    if (shown && !link) hide();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.term");
    if (link && pressed?.link === link && !pressed.open) {
      event.preventDefault();
      show(link);
    }
    pressed = null;
  });

  document.addEventListener("focusin", (event) => {
    if (quiet) return;
    const now = within(event.target);
    if (now?.matches("a.term")) show(now);
    else if (shown && !now) hide();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown) return;
    const { link, card } = shown;
    quiet = true;
    if (card.contains(document.activeElement)) link.focus();
    quiet = false;
    hide();
  });

  window.addEventListener("resize", () => shown && place(shown));
})();
