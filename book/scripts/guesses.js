/* "Predict first": below each question a box for a guess, and a cover over each cell that answers it, until the reader has guessed or
   asks to see it. The guess stays in this browser and is shown beside the result. Without this script everything is open.

   A cell that answers question k has the class answer-k or tag_answer-k, from its tag in the notebook. */
(function () {
  "use strict";

  const box = document.querySelector(".predict-first");
  const questions = box ? [...box.querySelectorAll("ol > li")].filter((item) => !item.parentElement.closest("li")) : [];

  /* What is kept: a guess, or "" for "shown without a guess". Where the browser keeps nothing, it lasts as long as the page. */
  const memory = new Map();
  const key = (number) => `guess ${location.pathname} ${number}`;
  const storage = (action) => {
    try {
      return action(window.localStorage);
    } catch {
      return null;
    }
  };
  function recall(number) {
    if (memory.has(number)) return memory.get(number);
    return storage((kept) => kept.getItem(key(number)));
  }
  function keep(number, words) {
    memory.set(number, words);
    storage((kept) => kept.setItem(key(number), words));
  }
  function forget(number) {
    memory.delete(number);
    storage((kept) => kept.removeItem(key(number)));
  }

  function make(name, words, properties = {}) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[words].flat());
    return made;
  }

  /* The places of answers: {element, numbers}. Of a code cell only what it shows is covered, not its code. */
  const places = [...document.querySelectorAll('article [class*="answer-"]')].flatMap((cell) => {
    const numbers = [...cell.className.matchAll(/(?:^|[\s_])answer-(\d+)(?=\s|$)/g)].map((found) => Number(found[1]));
    const known = numbers.filter((number) => questions[number - 1]);
    const shown = cell.classList.contains("cell") ? [...cell.querySelectorAll(".cell_output")] : [cell];
    return known.length ? shown.map((part) => prepared(part, known)) : [];
  });

  function prepared(part, numbers) {
    const answer = make("div", [], { className: "guess-answer" });
    const place = make("div", [], { className: "guess-place" });
    const beside = make("div", [], { tabIndex: -1 });
    part.before(place);
    place.append(beside, answer);
    answer.append(part);
    const record = { place, beside, answer, numbers, cover: null };
    answer.addEventListener("beforematch", () => show(record));
    return record;
  }

  function cover(record) {
    const { place, answer, numbers } = record;
    if (record.cover) return;
    place.style.minHeight = `${Math.max(place.offsetHeight, 72)}px`; // nothing below moves
    const open = numbers.filter((number) => recall(number) === null);
    const listed = open.length > 1 ? `s ${open.slice(0, -1).join(", ")} and ${open.at(-1)}` : ` ${open[0]}`;
    const words = `This answers question${listed}.`;
    const back = make("a", "Guess first", { href: `#${questions[open[0] - 1].id}` });
    const button = make("button", "Show without guessing", { type: "button" });
    back.addEventListener("click", (event) => {
      event.preventDefault();
      questions[open[0] - 1].scrollIntoView({ block: "center" });
      questions[open[0] - 1].querySelector("input")?.focus({ preventScroll: true });
    });
    button.addEventListener("click", () => {
      show(record);
      record.beside.focus({ preventScroll: true });
    });
    record.cover = make("div", [make("p", words), back, button], { className: "guess-cover" });
    answer.hidden = true;
    answer.setAttribute("hidden", "until-found");
    place.prepend(record.cover);
  }

  function uncover(record) {
    record.cover?.remove();
    record.cover = null;
    record.answer.removeAttribute("hidden");
    record.place.style.minHeight = "";
    const lines = record.numbers.filter((number) => recall(number)).map((number) => {
      const which = record.numbers.length > 1 || questions.length > 1 ? ` to question ${number}` : "";
      return make("p", `Your guess${which}: ${recall(number)}`, { className: "guess-beside" });
    });
    record.beside.replaceChildren(...lines);
  }

  function show(record) {
    for (const number of record.numbers) if (recall(number) === null) keep(number, "");
    update();
  }

  function update() {
    for (const record of places) {
      const open = record.numbers.some((number) => recall(number) === null);
      if (open) {
        record.beside.replaceChildren();
        if (record.cover) uncover(record); // its words may name a question that is answered by now
        cover(record);
      } else {
        uncover(record);
      }
    }
    asked.forEach(draw);
    button.hidden = !asked.some(({ number }) => recall(number) !== null);
  }

  /* The boxes for guesses, below the questions that have an answer on this page. */
  const asked = questions
    .map((item, index) => ({ item, number: index + 1 }))
    .filter(({ number }) => places.some(({ numbers }) => numbers.includes(number)));

  for (const question of asked) {
    const { item, number } = question;
    item.id ||= `predict-${number}`;
    const input = make("input", [], { type: "text", id: `guess-${number}`, autocomplete: "off", maxLength: 300 });
    const label = make("label", `Guess ${number}`, { htmlFor: input.id });
    const skip = make("button", "Show without guessing", { type: "button" });
    const form = make("form", [label, input, make("button", "Keep my guess", { type: "submit" }), skip]);
    const said = make("p", []);
    said.setAttribute("role", "status");
    Object.assign(question, { form, said, input });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!input.value.trim()) {
        said.textContent = "Write a guess first; a word is enough.";
        input.focus();
        return;
      }
      keep(number, input.value.trim());
      update();
      said.querySelector("a").focus({ preventScroll: true });
    });
    skip.addEventListener("click", () => {
      keep(number, "");
      update();
      said.querySelector("a").focus({ preventScroll: true });
    });
    item.append(make("div", [form, said], { className: "guess" }));
  }

  function draw({ number, form, said, input }) {
    const words = recall(number);
    form.hidden = words !== null;
    said.replaceChildren();
    if (words === null) return;
    input.value = "";
    const { place } = places.find(({ numbers }) => numbers.includes(number));
    place.id ||= `result-${number}`;
    const link = make("a", "See what came out", { href: `#${place.id}` });
    said.append(words ? `Your guess: ${words} ` : "Shown without a guess. ", link);
  }

  const note = "Guesses stay in this browser; nothing is sent.";
  const button = make("button", "Forget my guesses", { type: "button", className: "guess-forget" });
  button.addEventListener("click", () => {
    for (const { number } of asked) forget(number);
    update();
    asked[0].input.focus({ preventScroll: true });
  });
  if (!asked.length) return;
  box.append(make("p", note, { className: "guess-note" }), button);
  update();

  /* A link into a covered cell uncovers it. */
  function arrive() {
    const target = document.getElementById(location.hash.slice(1));
    const record = target && places.find(({ answer }) => answer.contains(target));
    if (!record?.cover) return;
    show(record);
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", arrive);
  arrive();
})();
