"""Gives each figure of the site the rendering that fits: the light or the dark theme, a wide window or a phone.

The kernel that drew a figure put its other renderings beside it (`publish.notebooks.figures`); a notebook without them, such as a
committed one, shows its one picture everywhere. On paper it is always the light, wide one.
"""

import base64
import hashlib
from pathlib import Path

from companion.publish.notebooks import chapters
from companion.publish.notebooks.figures import KEY
from companion.publish.site.accessible import pages, shown_size

PHONE = "(max-width: 540px)"
FOLDER = "_images"  # where Sphinx puts the pictures


def take(notebooks):
    """Take the other renderings out of these notebooks, in place; returns {hash of a figure's PNG: {name: PNG}}."""
    found = {}
    for notebook in notebooks:
        for cell in chapters.code_cells(notebook):
            for output in cell.outputs:
                drawn = output.get("metadata", {}).get("image/png", {}).pop(KEY, {})
                if drawn and "image/png" in output.data:
                    found[_hash(_bytes(output.data["image/png"]))] = {n: _bytes(text) for n, text in drawn.items()}
    return found


def show(built, found):
    """Lay the renderings that `take` found beside the pictures of the site, and let the pages choose among them."""
    from bs4 import BeautifulSoup

    if not found:
        return
    known = {path.name: _hash(path.read_bytes()) for path in (built / FOLDER).glob("*.png")}
    written = {name: _write(built / FOLDER, name, found[key]) for name, key in known.items() if key in found}
    for page in pages(built):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        images = [image for image in soup.select("article img[src]") if Path(image["src"]).name in written]
        for image in images:
            _choose(soup, image, written[Path(image["src"]).name])
        if images:
            page.write_text(str(soup), encoding="utf-8", newline="\n")


def _write(folder, name, drawn):
    """Write the renderings of one picture; returns {name of the rendering: (file name, (width, height) as shown)}."""
    files = {}
    for kind, picture in drawn.items():
        path = folder / f"{Path(name).stem}-{kind}.png"
        path.write_bytes(picture)
        files[kind] = path.name, shown_size(path)
    return files


def _choose(soup, image, files):
    """Put two pictures in place of one, for the light and the dark theme, each with its narrow rendering for phones.

    The browser fetches only what is shown: pictures that load lazily and are not displayed are never asked for. Each leads to
    its own wide rendering, where it can be enlarged.
    """
    link = image.parent if image.parent.name == "a" and image.parent.get("href") == image["src"] else None
    place = link or image
    for theme, wide, narrow in (("light", None, "narrow"), ("dark", "dark", "narrow-dark")):
        copy = soup.new_tag("img", attrs={**image.attrs, "class": f"only-{theme}", "loading": "lazy"})
        if wide:
            _point(copy, "src", image["src"], files[wide])
        picture = soup.new_tag("picture")
        source = soup.new_tag("source", media=PHONE)
        _point(source, "srcset", image["src"], files[narrow])
        picture.extend([source, copy])
        holder = picture
        if link:
            holder = soup.new_tag("a", attrs={**link.attrs, "href": copy["src"]})
            holder["class"] = [*link.get("class", []), f"only-{theme}"]
            holder.append(picture)
        place.insert_before(holder)
    place.decompose()


def _point(tag, attribute, beside, file):
    """Let the tag load the file that lies beside another, at its own size."""
    name, (width, height) = file
    tag[attribute] = beside.rpartition("/")[0] + "/" + name
    tag["width"], tag["height"] = str(width), str(height)


def _bytes(text):
    return base64.b64decode("".join(text) if isinstance(text, list) else text)


def _hash(content):
    return hashlib.sha256(content).hexdigest()
