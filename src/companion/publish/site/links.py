"""Links: what a page of the site names inside the site is there; and, as a command of its own, what it names outside.

Sphinx's own `linkcheck` was tried for the second: of the 72 outside addresses of this book and its papers it sees 32, for the
others stand in raw HTML (the bibliography, the tables of chapters and claims) and in README, CONTRIBUTING and CHANGELOG.
"""

import re
import time
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, unquote, urldefrag, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from companion.publish import UserError
from companion.publish.project import read_yaml

REFERENCES = (("a", "href"), ("area", "href"), ("link", "href"), ("form", "action"))
PARTS = (("img", "src"), ("script", "src"), ("source", "src"), ("video", "src"), ("audio", "src"), ("iframe", "src"))


def dead_inside(path, soup, pages, built):
    """What is wrong with the links, anchors, pictures, styles and scripts that this page names inside the site.

    `pages` is {path: soup} of the whole site.
    """
    for name, attribute in REFERENCES + PARTS:
        for tag in soup.find_all(name, **{attribute: True}):
            address = tag[attribute]
            if problem := _dead(address, path, pages, built):
                yield f"the {_WORDS.get(name, 'link')} {address} {problem}"
    for tag in soup.find_all(srcset=True):
        for address in (part.split()[0] for part in tag["srcset"].split(",") if part.strip()):
            if problem := _dead(address, path, pages, built):
                yield f"the picture {address} {problem}"
    for name, count in Counter(tag["id"] for tag in soup.find_all(id=True)).items():
        if count > 1 and soup.find("a", href=f"#{name}"):
            yield f"the anchor #{name}, to which a link leads, stands {count} times on its page"


_WORDS = {"img": "picture", "source": "picture", "script": "script", "iframe": "frame"}


def _dead(address, path, pages, built):
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address in ("", "#"):
        return ""
    if parts.path.startswith("/"):
        return "starts at the server's root, where the site need not be"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return "leads nowhere"
    if not target.is_relative_to(built.resolve()):
        return "leads out of the site"
    if target.suffix == ".html":
        page = pages[built / target.relative_to(built.resolve())]
        if parts.query and (form := page.find("form", id=re.compile("-filter$"))):
            return _not_offered(parts.query, form)
        fragment = unquote(parts.fragment)
        if fragment and not (page.find(id=fragment) or page.find("a", attrs={"name": fragment})):
            return "names no place on its page"
    return ""


def _not_offered(query, form):
    """What a link such as ledger.html?report=A&verdict=differs chooses that the form of its page does not have."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        field = form.find(attrs={"name": name})
        if field is None or (field.name == "select" and not field.find("option", value=value)):
            return f"asks its page for {name}={value}, which the page does not offer"
    return ""


def dead_styles(built):
    """What style sheets name inside the site and is not there."""
    for path in sorted(built.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8", errors="replace"), flags=re.S)
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)[\"']?\s*\)", text):
            parts = urlsplit(address)
            if not (parts.scheme or parts.netloc) and parts.path and not (path.parent / unquote(parts.path)).is_file():
                yield f"{path.relative_to(built).as_posix()}: the address {address} leads nowhere"


Result = namedtuple("Result", "address state words places")  # state: "fine", "moved", "dead", "excepted"
WORKERS, PAUSE, TIMEOUT, REDIRECTS = 4, 1.0, 20.0, 5
BUSY = (429, 500, 502, 503, 504)


def outside_addresses(root):
    """{address without fragment: [where it stands]} of the built site and of the repository's papers."""
    from bs4 import BeautifulSoup

    built = root / "_build" / "html"
    if not (built / "index.html").is_file():
        raise UserError("There is no built site to read the links from: `companion build` first.")
    found = {}

    def note(address, place):
        address = urldefrag(address.strip())[0]
        if urlsplit(address).scheme in ("http", "https") and place not in found.setdefault(address, []):
            found[address].append(place)

    for page in sorted(built.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for link in soup.find_all("a", href=True):
            note(link["href"], page.relative_to(built).as_posix())
    for paper in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (root / paper).read_text(encoding="utf-8") if (root / paper).is_file() else ""
        for address in re.findall(r"\]\((https?://[^)\s]+)\)|<(https?://[^>\s]+)>", text):
            note("".join(address), paper)
    return found


def load_exceptions(path):
    """[(pattern, reason)] of the addresses that are not asked. Raises UserError for a file without reasons."""
    rows = (read_yaml(path) or []) if path.exists() else []
    good = isinstance(rows, list) and all(
        isinstance(row, dict)
        and set(row) == {"address", "reason"}
        and all(isinstance(v, str) and v for v in row.values())
        for row in rows
    )
    if not good:
        raise UserError(f"{path.name} has to be a list of entries with `address:` and `reason:`, both filled.")
    return [(row["address"], row["reason"]) for row in rows]


def check_outside(
    addresses, exceptions=(), *, timeout=TIMEOUT, pause=PAUSE, workers=WORKERS, agent="companion", done=None
):
    """Ask each address once, a few servers at a time and none twice within `pause` seconds; a list of `Result`s.

    An address that matches an exception is not asked. `done(result)` is told of each result as it comes.
    """
    results, hosts = [], {}
    for address, places in addresses.items():
        reason = next((reason for pattern, reason in exceptions if fnmatchcase(address, pattern)), None)
        if reason:
            results.append(Result(address, "excepted", reason, places))
        else:
            hosts.setdefault(urlsplit(address).netloc, []).append((address, places))

    def ask_host(entries):
        answers = []
        for number, (address, places) in enumerate(entries):
            if number:
                time.sleep(pause)
            answers.append(Result(address, *ask(address, timeout=timeout, pause=pause, agent=agent), places))
            if done:
                done(answers[-1])
        return answers

    with ThreadPoolExecutor(workers) as pool:
        for answers in pool.map(ask_host, hosts.values()):
            results += answers
    return sorted(results)


def ask(address, *, timeout=TIMEOUT, pause=PAUSE, agent="companion"):
    """(state, words) of one address: by HEAD; by GET where HEAD gets no good answer; once more when the server is busy."""
    state, words, then = _request(address, "HEAD", timeout, agent)
    if state == "dead" and then != "stop":
        state, words, then = _request(address, "GET", timeout, agent)
    if then == "later":
        time.sleep(pause)
        state, words, then = _request(address, "GET", timeout, agent)
    return state, words


class _Redirects(HTTPRedirectHandler):
    """Follows a few redirects, keeps the method, and remembers whether all of them were meant for good."""

    max_redirections, max_repeats = REDIRECTS, 2

    def __init__(self):
        self.codes = []

    def redirect_request(self, request, file, code, message, headers, address):
        new = super().redirect_request(request, file, code, message, headers, address)
        new.method = request.get_method()
        self.codes.append(code)
        return new


def _request(address, method, timeout, agent):
    """(state, words, what else to try: "get", "later", "stop" or "")"""
    redirects = _Redirects()
    try:
        request = Request(address, method=method, headers={"User-Agent": agent, "Accept": "*/*"})
        with build_opener(redirects).open(request, timeout=timeout) as answer:
            if redirects.codes and set(redirects.codes) <= {301, 308}:
                return "moved", f"moved for good to {answer.url}", ""
            return "fine", f"answers {answer.status}", ""
    except HTTPError as error:
        error.close()
        if error.code in (301, 302, 303, 307, 308):
            return "dead", "is redirected in a circle or too often", "stop"
        return "dead", f"answers {error.code} {error.reason}".rstrip(), "later" if error.code in BUSY else "get"
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return "dead", f"gives no answer within {timeout:g} s", "get"
        words = " ".join(str(getattr(reason, "strerror", None) or reason).split())
        return "dead", f"cannot be reached ({words})", "stop"


def summary(results, exceptions=()):
    """(lines, whether all is well): the dead first with the pages they stand on, then the moved, then the counts."""
    states = {
        state: [result for result in results if result.state == state]
        for state in ("dead", "moved", "fine", "excepted")
    }
    lines = []
    for state, sign in (("dead", "✗"), ("moved", "→")):
        for result in states[state]:
            lines.append(f"{sign} {result.address}: {result.words} (in {', '.join(result.places)})")
    unused = [
        pattern for pattern, _ in exceptions if not any(fnmatchcase(result.address, pattern) for result in results)
    ]
    lines += [f"? the exception {pattern} matches no link any more" for pattern in unused]
    asked = len(results) - len(states["excepted"])
    if asked and len(states["dead"]) == asked:
        lines.append("None of the addresses answered: is there a network?")
    lines.append(
        f"{len(results)} address{'es' if len(results) != 1 else ''}: {len(states['fine'])} fine, {len(states['moved'])} moved, "
        f"{len(states['excepted'])} excepted, {len(states['dead'])} dead."
    )
    return lines, not states["dead"]


def exceptions_path(root):
    return Path(root) / "book" / "links.yml"
