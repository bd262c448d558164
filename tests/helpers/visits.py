"""How the tests visit a page: where Chromium is and how it is started, a server on this machine, and what a visit writes down."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds; tests may share two cores with kernels
KNOWN_NOISE = "THEBE_JS_URL"  # the theme declares it twice; no request is made


def chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


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
    """A page, with every request that left the site and every complaint on the console."""

    def __init__(self, browser, url, width=1280, theme="light", **options):
        self.outside, self.complaints = [], []
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
        context.set_default_timeout(PATIENCE)
        self.page = context.new_page()
        own = url.split("/book/")[0].split("/search.html")[0]
        context.route("**/*", lambda route: self._judge(route, own))
        self.page.on("console", lambda m: self._note(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 0) : 0")

    def _note(self, complaint):
        if KNOWN_NOISE not in complaint:
            self.complaints.append(complaint)

    def _judge(self, route, own):
        url = route.request.url
        if url.startswith((own, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()

    def close(self):
        self.page.context.close()
