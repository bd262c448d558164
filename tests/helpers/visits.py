"""How the tests visit a page: how Chromium is started, a server on this machine, and what a visit writes down."""

import functools
import http.server
import threading
from contextlib import contextmanager

from companion.publish.project import chromium

__all__ = ["FLAGS", "PATIENCE", "Visit", "chromium", "served"]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever asks for something from outside gets nothing
]
PATIENCE = 120_000  # milliseconds; tests may share two cores with kernels
KNOWN_NOISE = (
    "/favicon.ico",  # what Chromium asks for by itself where a page, like 404.html, names no icon
)


@contextmanager
def served(folder):
    """The address of a folder on a loopback port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class Visit:
    """A page, with every request that left the site and every complaint on the console; `look` gives it another window and theme."""

    def __init__(self, browser, url, width=1280, theme="light", context=None):
        """A context that several visits share keeps what they load; without one, the visit has its own and sees everything anew."""
        self.outside, self.complaints = [], []
        self._own = None if context else browser.new_context()
        self.page = (context or self._own).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.look(width, theme)
        own = url.split("/book/")[0] if "/book/" in url else url.rpartition("/")[0]
        inside = (own, "data:", "blob:")
        self.page.on("request", lambda r: None if r.url.startswith(inside) else self.outside.append(r.url))
        self.page.on("console", lambda m: self._note(f"{m.text} {m.location['url']}") if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("requestfailed", lambda r: self._failed(r))
        self.page.goto(url)
        self.page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 0) : 0")
        self.page.evaluate("document.fonts.ready.then(() => 0)")

    def look(self, width, theme):
        """The page in a window of that width, for a reader who has chosen that theme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)

    def _failed(self, request):
        """A request without an answer; one that the page gave up by itself, when it was left, is no fault of its."""
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.url}: {request.failure}")

    def _note(self, complaint):
        if not any(noise in complaint for noise in KNOWN_NOISE):
            self.complaints.append(complaint)

    def close(self):
        if self._own:
            self._own.close()
        else:
            self.page.close()
