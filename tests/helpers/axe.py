"""What is asked of a page by axe-core and beside it; each is a JavaScript function for Playwright."""

from importlib.resources import files

THEMES = ("light", "dark")


def axe_core():
    """The script of axe-core, out of the installed package."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


# Thousands of coloured words of code cost axe a minute a page. Their colours are measured by CODE; then they become plain text, which
# takes the same room, and axe looks at all the rest.
PLAIN = """() => {
    document.querySelectorAll(".highlight pre").forEach((pre) => { pre.textContent = pre.textContent; });
    document.querySelectorAll("mjx-math").forEach((math) => {  // hidden from screen readers, which have a twin of it
      const {width, height} = math.getBoundingClientRect();
      math.textContent = "";
      Object.assign(math.style, {display: "inline-block", width: width + "px", height: height + "px"});
    });
  }"""
# All that axe-core knows, or only what may differ between the themes: the contrasts.
AXE = """(contrastsAlone) => axe.run(document, {
    preload: false, resultTypes: ["violations"],
    ...(contrastsAlone ? {runOnly: ["color-contrast", "link-in-text-block"]}
      : {rules: {"target-size": {enabled: true}, "label-content-name-mismatch": {enabled: true}}}),
  }).then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map((node) =>
    `${id}: ${node.html.slice(0, 300)}\\n    ${node.failureSummary.split("\\n").slice(1).join(" ").trim()}`)))"""

SHOW = """(theme) => {
    document.documentElement.dataset.theme = theme;
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }"""

# The contrast of every kind of word in code against the paper it stands on.
CODE = """() => {
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const paper = (tag) => {
      for (; tag; tag = tag.parentElement) {
        const colour = numbers(getComputedStyle(tag).backgroundColor);
        if (colour.length < 4 || colour[3] === 1) return light(colour);
      }
    };
    const seen = new Map();
    for (const word of document.querySelectorAll(".highlight pre span"))
      if (word.textContent.trim()) seen.set(word.className + !!word.closest(".cell_output"), word);
    return [...seen.values()].map((word) => {
      const [low, high] = [light(numbers(getComputedStyle(word).color)), paper(word)].sort((a, b) => a - b);
      return [word.textContent, (high + 0.05) / (low + 0.05)];
    }).filter(([, contrast]) => contrast < 4.5);
  }"""
