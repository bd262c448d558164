"""Typefaces of the finished site: a page asks first for those that it needs, and of the theme's icons only the used ones stay."""

import json
import re

FACES = "_static/fonts"  # made by tools/fonts.py, named in book/static/fonts.css
ITALIC = re.compile(r"<(em|cite|dfn|var)\b")
CODE = re.compile(r"<(code|pre|kbd|samp)\b")
IN_CODE = re.compile(r"<(code|pre|kbd|samp)\b.*?</\1>", re.S)
ASK = """\
<script>  // over file:// a browser refuses to fetch a typeface before a style names it
if (location.protocol !== "file:") for (const face of %s) document.head.append(Object.assign(document.createElement("link"), {
  rel: "preload", as: "font", type: "font/woff2", crossOrigin: "anonymous", href: "%s/" + face + ".woff2" }));
</script>
"""
ICONS = "_static/vendor/fontawesome/webfonts"


def finish(built):
    """Complete the built site, in place."""
    preload(built)
    cut_icons(built)


def preload(built):
    """Let every page fetch its typefaces beside its styles and not after them: so the first picture of it has them."""
    if not (built / FACES).is_dir():
        return
    covered = {name: _characters(built / FACES / f"{name}.woff2") for name in ("text", "code", "letters", "signs")}
    signs = re.compile("[" + "".join(map(re.escape, sorted(covered["signs"] - covered["text"]))) + "]")
    for page in sorted(built.rglob("*.html")):
        head, end, body = page.read_text(encoding="utf-8").partition("</head>")
        if "fonts.css" not in head:
            continue
        shown = re.sub(r"<script\b.*?</script>|<!--.*?-->", "", body, flags=re.S)
        wanted = {
            "text": True,
            "text-italic": ITALIC.search(shown),
            "code": CODE.search(shown),
            "letters": _letters(shown, covered),
            "signs": signs.search(shown),
        }
        way = "../" * len(page.relative_to(built).parent.parts) + FACES
        script = ASK % (json.dumps([name for name, needed in wanted.items() if needed]), way)
        start = head.index("<link")  # before the styles
        page.write_text(head[:start] + script + head[start:] + end + body, encoding="utf-8")


def _letters(shown, covered):
    """Whether a page shows letters, Greek ones say, that neither the face of its text nor that of its code has."""
    code = " ".join(match[0] for match in IN_CODE.finditer(shown))
    parts = {"text": IN_CODE.sub(" ", shown), "code": code}
    said = {face: set(re.sub(r"<[^>]*>", " ", part)) for face, part in parts.items()}
    return any(said[face] & (covered["letters"] - covered[face]) for face in parts)


def _characters(path):
    from fontTools.ttLib import TTFont

    return {chr(code) for code in TTFont(path).getBestCmap()}


def cut_icons(built):
    """Leave in the theme's icon fonts, 300 kB and more, those icons that a page or a style sheet names."""
    from fontTools import subset

    pages = "".join(page.read_text(encoding="utf-8") for page in sorted(built.rglob("*.html")))
    named, codes = set(re.findall(r"\bfa-[\w-]+", pages)), set()
    for style in sorted(built.glob("_static/**/*.css")):
        for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", style.read_text(encoding="utf-8")):
            icons = set(re.findall(r"\.(fa-[\w-]+):", selectors))
            if not icons or icons & named:
                codes |= {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", rules)}
                codes |= {ord(sign) for sign in re.findall("[\ue000-\uf8ff]", rules)}
    for path in sorted((built / ICONS).glob("*.*")):
        options = subset.Options()
        options.flavor = "woff2" if path.suffix == ".woff2" else None
        options.name_IDs, options.obfuscate_names, options.notdef_outline = ["*"], False, True
        font = subset.load_font(path, options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        for number in (1, 3, 4, 6, 16):  # a changed copy must not bear the name of the whole
            font["name"].setName("Companion Icons", number, 3, 1, 0x409)
        subset.save_font(font, path, options)
