"""Makes the book's typefaces, book/static/fonts/, and the letters of its logo: `python tools/fonts.py`.

Text and code are set in Source Sans 3 and Source Code Pro, which their designers publish on npm; the signs that these lack come
from the DejaVu Sans that matplotlib brings. Each is cut down to weights 400 to 700 and to the characters below, and renamed, as
its licence asks of a changed copy. Needs npm; run it when a page wants a character that no face has (tests/publish/site/test_fonts.py says so).
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "book" / "static" / "fonts"
PACKAGES = ("source-sans@3.52.0", "source-code-pro@2.42.0")

SPECIAL = "‐‑‒–—―‘’‚“”„†‡•…‰′″‹›€"
FIGURES = "⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉⅓⅔⅛⅜⅝⅞"  # Latin-1 has the others
MATHEMATICS = "ℓℕℝℤ™←↑→↓↔↕↦⇐⇒⇔∀∂∃∅∆∇∈∉∋∏∑−∓∕∗∘√∝∞∥∧∨∩∪∫∼≃≅≈≠≡≤≥≪≫⊂⊃⊆⊇⊕⊖⊗⊙⊤⊥⋅⋆⋮⋯⌈⌉⌊⌋⟨⟩"
SHAPES = "■□▪▫▲△▶▷▸▼▽◀◁◂◆◇○●◐◑◒◓☐☑☒★☆⚠"
VERDICTS = "✓✔✗✘"  # from the same hand as ◐
BOXES = "─│┌┐└┘├┤┬┴┼━═║▀▄█▌▐░▒▓"  # trees of files, bars of progress


def letters(*ranges):
    return "".join(chr(code) for first, last in ranges for code in range(first, last + 1))


LATIN = letters((0x20, 0x7E), (0xA0, 0xFF))
GREEK = letters((0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9)) + "ϑϕ"
NAMES = letters((0x100, 0x17F), (0x218, 0x21B))  # of authors

TEXT = LATIN + SPECIAL + FIGURES + MATHEMATICS
CODE = TEXT + GREEK + BOXES
LESS_USED = GREEK + NAMES  # a file of its own, which only pages that use them load
SIGNS = MATHEMATICS + SHAPES + VERDICTS  # those that TEXT or CODE lacks
FEATURES = ["kern", "mark", "mkmk", "ccmp"]  # no ligatures: words that are copied, searched or read aloud stay words


def cut(source, name, characters, target):
    """Write `source` as `target`, with these characters only, weights 400 to 700, and another name; returns those it has."""
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options()
    options.layout_features = FEATURES
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.flavor = "woff2"
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(font)
    if "fvar" in font:
        font = instancer.instantiateVariableFont(font, {"wght": (400, 400, 700)})
    for table in ("DSIG", "STAT", "MVAR", "meta"):
        if table in font:
            del font[table]
    style = "Italic" if target.stem.endswith("italic") else "Regular"
    for number, words in {
        1: name,
        2: style,
        3: f"{name} {style}",
        4: f"{name} {style}",
        6: name.replace(" ", ""),
    }.items():
        font["name"].setName(words, number, 3, 1, 0x409)
    subset.save_font(font, target, options)
    covered = {chr(code) for code in font.getBestCmap()}
    lacking = "".join(sorted(set(characters) - covered))
    print(
        f"{target.relative_to(ROOT)}: {len(covered)} characters, {target.stat().st_size / 1000:.1f} kB; lacks {lacking}"
    )
    return covered


def outline(font, words, x, y, width):
    """The words as an SVG path, beginning at (x, y) and as long as `width`."""
    cmap, glyphs = font.getBestCmap(), font.getGlyphSet()
    scale = width / sum(glyphs[cmap[ord(letter)]].width for letter in words)
    pen = SVGPathPen(glyphs, ntos=lambda value: f"{value:.1f}".rstrip("0").rstrip("."))
    for letter in words:
        glyph = glyphs[cmap[ord(letter)]]
        glyph.draw(TransformPen(pen, (scale, 0, 0, -scale, x, y)))
        x += glyph.width * scale
    return pen.getCommands()


LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 128" role="img" aria-label="The course companion"><rect width="480" \
height="128" rx="18" fill="#1d4a73"/><path d="M26 64h78M26 42v44M104 42v44" fill="none" stroke="#fff" stroke-width="9" \
stroke-linecap="round"/><circle cx="66" cy="64" r="20" fill="#f7a94b" stroke="#1d4a73" stroke-width="6"/>\
<path fill="#d5e5f4" d="{small}"/><path fill="#fff" d="{large}"/></svg>
"""


def main():
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("The typefaces come from npm packages, and there is no npm here: install it.")
    import matplotlib

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run([npm, "pack", "--silent", *PACKAGES], cwd=folder, check=True)
        for package in PACKAGES:
            name, version = package.split("@")
            with tarfile.open(folder / f"{name}-{version}.tgz") as archive:
                archive.extractall(folder / name, filter="data")
        sans, code = folder / "source-sans" / "package", folder / "source-code-pro" / "package"
        dejavu = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        upright = sans / "VF" / "SourceSans3VF-Upright.ttf"
        covered = cut(upright, "Companion Text", TEXT, TARGET / "text.woff2")
        cut(sans / "VF" / "SourceSans3VF-Italic.ttf", "Companion Text", TEXT, TARGET / "text-italic.woff2")
        covered &= cut(code / "VF" / "SourceCodeVF-Upright.ttf", "Companion Code", CODE, TARGET / "code.woff2")
        cut(upright, "Companion Letters", LESS_USED, TARGET / "letters.woff2")
        lacking = "".join(sorted(set(SIGNS) - covered))
        cut(dejavu / "DejaVuSans.ttf", "Companion Signs", lacking, TARGET / "signs.woff2")
        shutil.copy(sans / "LICENSE.md", TARGET / "LICENSE-text.md")
        shutil.copy(code / "LICENSE.md", TARGET / "LICENSE-code.md")
        shutil.copy(dejavu / "LICENSE_DEJAVU", TARGET / "LICENSE-signs.txt")
        light, strong = (instancer.instantiateVariableFont(TTFont(upright), {"wght": weight}) for weight in (400, 650))
        small = outline(light, "The course", 138, 48, 138)
        large = outline(strong, "companion", 136, 99, 312)
        (ROOT / "book" / "static" / "logo.svg").write_text(LOGO.format(small=small, large=large), encoding="utf-8")


if __name__ == "__main__":
    main()
