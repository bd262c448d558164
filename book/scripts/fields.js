/* Fields for the drawings that answer to the reader: sliders, switches and buttons below a drawing, and grids of pixels. */
"use strict";

window.Fields = (() => {
  const make = (name, properties = {}, ...content) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content);
    return made;
  };

  /* A slider with its label and its value; `words` says the value where it is not the number itself. */
  function slider(name, label, [least, most, step], start, changed, words = String) {
    const input = make("input", { type: "range", min: least, max: most, step, value: start });
    const output = make("output", {}, words(start));
    input.dataset.name = name;
    input.addEventListener("input", () => {
      output.textContent = words(Number(input.value));
      changed();
    });
    const whole = make("div", { className: "explorable-field" }, make("label", {}, label, input), output);
    return { whole, value: () => Number(input.value) };
  }

  function checkbox(name, label, start, changed) {
    const input = make("input", { type: "checkbox", checked: start });
    input.dataset.name = name;
    input.addEventListener("input", changed);
    return { whole: make("label", {}, input, label), value: () => input.checked };
  }

  function button(label, pressed) {
    const made = make("button", { type: "button" }, label);
    made.addEventListener("click", pressed);
    return { whole: made };
  }

  /* Puts the fields into the box of a drawing, and returns what says its state in words. */
  function below(box, fields, ...more) {
    const words = make("p", { className: "explorable-words" });
    words.setAttribute("aria-live", "polite");
    box.append(make("div", { className: "explorable-fields" }, ...fields.map(({ whole }) => whole)), ...more, words);
    return words;
  }

  function drawn(name, attributes, ...content) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content);
    return made;
  }

  const number = (value, digits = 2) => {
    const text = value.toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  };

  return { slider, checkbox, button, below, drawn, number };
})();
