/* Self-check questions: on "Check" the form shows the feedback that stands among the folded answers below it.
   Without this script the buttons stay hidden, and the answers can be folded out and read. */
"use strict";

for (const form of document.querySelectorAll("form.question")) {
  const button = form.querySelector("button");
  const feedback = form.querySelector(".question-feedback");
  const answers = [...document.getElementById(form.dataset.answers).children];
  button.hidden = false;

  const show = (text, state) => {
    feedback.textContent = "";
    feedback.className = "question-feedback" + (state ? " " + state : "");
    if (state) {
      // A word and a mark, so that colour is never the only difference.
      const verdict = document.createElement("strong");
      verdict.textContent = state === "right" ? "✓ Right. " : "✗ Not yet. ";
      feedback.append(verdict);
    }
    feedback.append(text);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = given_answer(form);
    if (given === null) {
      show(form.querySelector("[type=radio]") ? "Choose an answer first." : "Enter a whole number first.", "");
      return;
    }
    const answer =
      answers.find((item) => item.dataset.value === given) ||
      answers.find((item) => item.dataset.value === "otherwise");
    const reason = answer.querySelector(".question-reason").cloneNode(true);
    show(reason, answer.classList.contains("right") ? "right" : "wrong");
  });

  form.addEventListener("input", () => show("", "")); // what stands there belongs to another answer
}

/* The chosen letter, or the number as plain digits ("37,178", "37 178" and "37.178" are all 37178); null when there is none. */
function given_answer(form) {
  const chosen = form.querySelector("[type=radio]:checked");
  if (chosen) return chosen.value;
  const typed = form.querySelector("[type=text]");
  if (!typed) return null;
  const digits = typed.value.trim().replace(/[\s,.'_\u00a0\u202f]/g, "");
  return /^\d+$/.test(digits) ? String(BigInt(digits)) : null;
}
