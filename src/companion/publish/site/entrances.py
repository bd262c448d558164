"""The two pages at the site's root: the front door, which leads on to the book, and the page for addresses that lead nowhere.

The second is our own and not sphinx-notfound-page's: that one needs to know the folder in which the site will be published,
and this book is built before anybody has chosen one; and its links to a dozen styles and scripts all break where it is wrong.
"""

import re

from companion.publish.project import write_whole
from companion.publish.site.rendering import render


def write(built, front_door, not_found):
    write_whole(built / "index.html", front_door)
    write_whole(built / "404.html", not_found)


def front_door(title, tags):
    """The page that a visitor of the site's address gets first; `tags` are lines of HTML for its head."""
    return render("front_door.html", title=title, tags=tags)


def not_found(title, address, logo, pages):
    """The page that the server shows for every address that it does not know, at any depth: whole in itself.

    Its links start at the site's root, which is known when the site has an address; otherwise a script guesses it as GitHub
    Pages has it. `logo` is an SVG, `pages` are (address from the root, title).
    """
    base = re.sub(r"^https?://[^/]+", "", address)
    return render("404.html", title=title, base=base, logo=logo, pages=pages)
