"""Servers on this machine for the tests of downloads."""

import re
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def serve():
    """serve(files, ranges=True, cuts=(), raw=None, pause=0) starts a server on this machine and returns it.

    `cuts`: after how many bytes the first, the second, ... answer breaks off. `raw`: bytes sent instead of any answer.
    `pause`: seconds between the two halves of an answer.
    The server's `url` ends in a slash; `ranges_asked` holds the Range header of each request.
    """
    servers = []

    def start(files, ranges=True, cuts=(), raw=None, pause=0):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                self.server.ranges_asked.append(asked)
                if raw is not None:
                    self.wfile.write(raw)
                    return
                content = files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and ranges else 0
                if first >= len(content) > 0:
                    self.send_error(416)
                    return
                self.send_response(206 if asked and ranges else 200)
                self.send_header("Content-Length", str(len(content) - first))
                self.end_headers()
                turn = len(self.server.ranges_asked) - 1
                end = first + cuts[turn] if turn < len(cuts) else len(content)
                middle = (first + end) // 2
                with suppress(ConnectionError):  # whoever asked may have been ended meanwhile
                    self.wfile.write(content[first:middle])
                    time.sleep(pause)
                    self.wfile.write(content[middle:end])

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.ranges_asked = []
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def closed_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
