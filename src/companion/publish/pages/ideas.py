"""Pictures of ideas, `book/static/ideas/<name>.svg`: put into the page itself, where they take the colours of its theme.

A chapter names one by its address on GitHub, so that the notebook shows it anywhere. Where there is a script
`book/scripts/explorables/<name>.js`, the site's page lets the reader change the drawing: the script finds it in the box
`#explore-<name>` and puts its fields below it. In Colab, on paper and without scripts it stays the drawing that it is.
"""

import re
from xml.etree import ElementTree

from companion.publish import UserError, project

WIDEST, PHONE, SMALLEST = (
    760,
    358,
    12,
)  # the widest drawing; a phone's column, and the smallest letters there, in pixels
COLOURS = {
    f"var(--idea-{name},{colour})"
    for name, colour in {
        "ink": "#1b1b1b",
        "paper": "#ffffff",
        "soft": "#e4e1da",
        "accent": "#c2560c",
        "second": "#2a7f62",
        "third": "#6b1a6b",
    }.items()
}
PAINTED = ("fill", "stroke", "color", "stop-color", "flood-color", "lighting-color")
ELEMENTS = {
    "svg",
    "title",
    "desc",
    "g",
    "defs",
    "use",
    "symbol",
    "marker",
    "mask",
    "clipPath",
    "pattern",
    "linearGradient",
    "stop",
}
ELEMENTS |= {"rect", "circle", "ellipse", "line", "polyline", "polygon", "path", "text", "tspan"}


def folder(root):
    return root / "book" / "static" / "ideas"


def address(repository):
    """How the address of a picture begins."""
    return repository.replace("https://github.com/", "https://raw.githubusercontent.com/") + "/main/book/static/ideas/"


def put_in(root, repository, text, chapter):
    """Markdown with the drawings themselves where it shows them, each a paragraph of its own. Raises UserError where one is missing."""
    shown = rf"^!\[([^\]]*)\]\({re.escape(address(repository))}([\w-]+)\.svg\)[ \t]*$"
    return re.sub(shown, lambda found: _inline(root, found[2], found[1], chapter), text, flags=re.M)


def _inline(root, name, alt, chapter):
    from markupsafe import escape

    path = folder(root) / f"{name}.svg"
    if not path.is_file():
        raise UserError(f"{chapter} shows the picture {name}, and there is no book/static/ideas/{name}.svg.")
    if not alt.strip():
        raise UserError(f"{chapter} shows the picture {name} without a text that stands for it: ![text](address).")
    drawing = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->", "", project.read_text(path), flags=re.S)
    drawing = re.sub(r"\s+", " ", drawing).strip()
    about = re.search(r'<desc id="([\w-]+)"', drawing)
    width, height = drawing_size(path)
    opening = re.search(r"<svg\b[^>]*>", drawing)[0]
    kept = re.sub(r'\s(class|role|width|height|aria-[\w-]+)="[^"]*"', "", opening).rstrip("/>")
    words = (
        f'class="idea" role="img" width="{width:g}" height="{height:g}" aria-label="{escape(" ".join(alt.split()))}"'
    )
    words += f' aria-describedby="{about[1]}"' if about else ""
    drawing = drawing.replace(opening, f"{kept} {words}>", 1)
    return f"```{{raw}} html\n{_explorable(root, name, drawing)}\n```"


def _explorable(root, name, drawing):
    """The drawing; in a box with its script where it has one."""
    if not (root / "book" / "scripts" / "explorables" / f"{name}.js").is_file():
        return drawing
    style = '<link rel="stylesheet" href="../scripts/explorables.css">'
    names = ("fields", f"explorables/{name}")
    script = "".join(f'<script src="../scripts/{script}.js" defer></script>' for script in names)
    return f'{style}\n<div class="explorable" id="explore-{name}">{drawing}</div>\n{script}'


def drawing_size(path):
    """The width and height of a drawing by its viewBox. Raises UserError where it has none."""
    found = re.search(r'viewBox="\s*\S+\s+\S+\s+([\d.]+)\s+([\d.]+)\s*"', project.read_text(path))
    if not found:
        raise UserError(f"The picture {path.name} has no viewBox, so its size is not known.")
    return float(found[1]), float(found[2])


def problems(root):
    """What is wrong with the book's pictures of ideas, in sentences."""
    return [f"{path.name}: {problem}" for path in sorted(folder(root).glob("*.svg")) for problem in check(path)]


def check(path):
    """What is wrong with one picture: its colours, ids, letters, and what it may not hold."""
    try:
        picture = ElementTree.fromstring(project.read_text(path))
    except ElementTree.ParseError as error:
        yield f"it is no SVG: {error}"
        return
    box = [float(side) for side in picture.get("viewBox", "").split()]
    if len(box) != 4 or not 0 < box[2] <= WIDEST:
        yield f"it needs a viewBox of a width of at most {WIDEST}"
        return
    parts = {tag: picture.find(f"{{*}}{tag}") for tag in ("title", "desc")}
    yield from (
        f"it needs a <{tag}> that says something"
        for tag, part in parts.items()
        if part is None or not (part.text or "").strip()
    )
    drawn = [part for part in picture if _tag(part) not in ("title", "desc", "defs")]
    if not drawn or _tag(drawn[0]) != "rect" or "--idea-paper" not in _painted(drawn[0]).get("fill", ""):
        yield "what it draws first has to be a <rect> filled with --idea-paper"
    for element in picture.iter():
        yield from _element(element, path.stem)
    yield from _letters(picture, min(1, PHONE / box[2]), None)


def _tag(element):
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _painted(element):
    """What an element is painted with: {property: colour}, from its attributes and its `style`."""
    style = dict(part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    found = {**element.attrib, **{name.strip(): value.strip() for name, value in style.items()}}
    return {name: re.sub(r",\s+", ",", found[name].strip()) for name in PAINTED if name in found}


def _element(element, name):
    tag = _tag(element)
    if tag and tag not in ELEMENTS:
        yield f"it holds a <{tag}>, which a picture may not"
    for attribute, value in element.attrib.items():
        attribute = attribute.rpartition("}")[2]
        if attribute.startswith("on"):
            yield f"it holds a script, {attribute}"
        if attribute == "font-family" and value != "sans-serif":
            yield f'its letters are {value!r}: write font-family="sans-serif"; on the page they are those of the page'
        if attribute == "id" and not value.startswith(f"{name}-"):
            yield f"the id {value!r} has to begin with '{name}-', for a page may hold two pictures"
        if (attribute == "href" and not value.startswith("#")) or re.search(r"url\((?!#)", value):
            yield f"it names something outside itself: {value}"
    for attribute, colour in _painted(element).items():
        if colour not in COLOURS | {"none"} and not colour.startswith("url(#"):
            yield f"its <{tag}> has the {attribute} {colour}; allowed are none and var(--idea-…) with their own second colours"


def _letters(element, scale, size):
    """Letters that are too small on a phone, where the picture is drawn at this scale."""
    own = re.match(r"[\d.]+", element.get("font-size", "")) or re.search(
        r"font-size:\s*([\d.]+)", element.get("style", "")
    )
    size = float(own[own.lastindex or 0]) if own else size
    if _tag(element) in ("text", "tspan") and (element.text or "").strip():
        if size is None:
            yield f"the text {element.text.strip()!r} has no font-size"
        elif size * scale < SMALLEST - 0.05:
            yield f"the text {element.text.strip()!r} has {size * scale:.1f} pixels on a phone; it needs {SMALLEST}"
    for part in element:
        yield from _letters(part, scale, size)
