"""Links: the build refuses every dead one inside the site; `companion links` asks those outside, here a server on loopback."""

import http.server
import socket
import threading

import pytest

from companion.publish import UserError, cli, project
from companion.publish.site import links, page_checks

# ------------------------------------------------------------------------------------------------- inside the site

FORM = (
    '<form id="rows-filter"><select name="report"><option value="">all</option><option value="A">A</option></select>'
    '<input name="words"></form>'
)


@pytest.fixture
def site(tmp_path):
    """A site of two pages, a picture and a style; returns (folder, function that checks it with this body and head)."""
    built = tmp_path / "html"
    (built / "book" / "deep").mkdir(parents=True)
    (built / "book" / "x.png").touch()
    (built / "book" / "x.css").write_text('p { background: url("x.png"); } /* url(gone.png) */ b { src: url(data:a) }')
    (built / "book" / "deep" / "b.html").write_text(f'<h1 id="top">B</h1><a name="old"></a>{FORM}')
    (tmp_path / "secret.html").touch()

    def check(body, head=""):
        page = f'<html><head>{head}</head><body><article><h1 id="top">A</h1>{body}</article></body></html>'
        (built / "book" / "a.html").write_text(page)
        return page_checks.check_site(built, ["book/a"], tmp_path, "https://github.com/OWNER/companion")

    return built, check


@pytest.mark.parametrize(
    "body",
    [
        '<a href="deep/b.html">b</a> <a href="deep/b.html#top">b</a> <a href="deep/b.html#old">b</a> <a href="#top">up</a>',
        '<a href="deep/b.html?report=A">rows</a> <a href="deep/b.html?report=A&amp;words=any%20words">rows</a>',
        '<a href="mailto:a@example.org">mail</a> <a href="https://example.org/gone#nowhere">out</a> <a href="#">menu</a>',
        '<img src="x.png" srcset="x.png 1x, x.png 2x" alt="A line that rises from left to right.">',
        '<a href="deep/../x.png" download>picture</a> <form action="deep/b.html"></form>',
    ],
)
def test_good_links_pass(site, body):
    assert site[1](body) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="c.html">c</a>', "the link c.html leads nowhere"),
        ('<a href="deep/b.html#nowhere">b</a>', "#nowhere names no place on its page"),
        ('<a href="#nowhere">b</a>', "#nowhere names no place on its page"),
        ('<a href="deep/b.html?report=F">b</a>', "asks its page for report=F, which the page does not offer"),
        ('<a href="deep/b.html?colour=red">b</a>', "asks its page for colour=red"),
        ('<a href="#report=A">b</a>', "names no place on its page"),
        ('<img src="y.png" alt="A line that rises from left to right.">', "the picture y.png leads nowhere"),
        ('<img src="x.png" srcset="y.png 2x" alt="A line that rises from left to right.">', "the picture y.png"),
        ('<script src="../scripts/y.js"></script>', "the script ../scripts/y.js leads nowhere"),
        ('<form action="found.html"></form>', "the link found.html leads nowhere"),
        ('<a href="/book/a.html">a</a>', "starts at the server's root"),
        ('<a href="../../secret.html">a</a>', "leads out of the site"),
        (
            '<p id="two">1</p><p id="two">2</p><a href="#two">2</a>',
            "the anchor #two, to which a link leads, stands 2 times",
        ),
    ],
)
def test_a_dead_link_is_refused(site, body, words):
    problems = site[1](body)
    assert len(problems) == 1 and problems[0].startswith("book/a.html: ") and words in problems[0]


def test_a_dead_style_and_a_dead_address_inside_a_style_are_refused(site):
    built, check = site
    assert any("the link y.css leads nowhere" in p for p in check("", '<link rel="stylesheet" href="y.css">'))
    (built / "book" / "x.css").write_text("p { background: url('gone.png'); }")
    assert check("") == ["book/x.css: the address gone.png leads nowhere"]


# ------------------------------------------------------------------------------------------------ outside the site


class Server(http.server.BaseHTTPRequestHandler):
    """/ok, /gone, /nohead, /for-good, /for-now, /circle, /busy (once), /down, /slow; `asked` keeps what came."""

    asked, released = [], threading.Event()

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        path, before = self.path, [p for _, p in self.asked]
        self.asked.append((self.command, path))
        self.agents.add(self.headers["User-Agent"])
        codes = {"/gone": 404, "/for-good": 301, "/for-now": 302, "/circle": 302, "/down": 503}
        code = codes.get(path, 200)
        if path == "/nohead" and self.command == "HEAD":
            code = 405
        if path == "/busy":
            code = 429 if before.count(path) < 2 else 200
        if path == "/slow":
            self.released.wait(10)
        self.send_response(code)
        to = {"/for-good": "/ok", "/for-now": "/ok", "/circle": "/circle"}.get(path)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Server, "asked", [])
    monkeypatch.setattr(Server, "agents", set(), raising=False)
    monkeypatch.setattr(Server, "released", threading.Event())
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    Server.released.set()
    running.shutdown()
    running.server_close()


def ask(address, **more):
    return links.ask(address, **{"timeout": 5, "pause": 0, **more})


@pytest.mark.parametrize(
    ("path", "state", "words"),
    [
        ("/ok", "fine", "answers 200"),
        ("/gone", "dead", "answers 404"),
        ("/nohead", "fine", "answers 200"),
        ("/for-good", "moved", "/ok"),
        ("/for-now", "fine", "answers 200"),
        ("/circle", "dead", "in a circle"),
        ("/busy", "fine", "answers 200"),
        ("/down", "dead", "answers 503"),
    ],
)
def test_every_kind_of_answer_gets_its_word(server, path, state, words):
    found, said = ask(server + path)
    assert found == state and words in said


def test_head_comes_first_and_nothing_is_asked_more_than_three_times(server):
    ask(server + "/ok")
    assert Server.asked == [("HEAD", "/ok")]
    ask(server + "/down")
    assert Server.asked[1:] == [("HEAD", "/down"), ("GET", "/down"), ("GET", "/down")]


def test_a_server_that_does_not_answer_and_one_that_refuses_are_dead(server):
    assert ask(server + "/slow", timeout=0.2) == ("dead", "gives no answer within 0.2 s")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        state, words = ask(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert state == "dead" and words.startswith("cannot be reached (") and "refused" in words


def test_a_server_is_asked_one_address_at_a_time_with_a_pause_between(server, monkeypatch):
    pauses = []
    monkeypatch.setattr(links.time, "sleep", pauses.append)
    addresses = {server + path: ["a.html"] for path in ("/ok", "/ok?2", "/ok?3")}
    results = links.check_outside(addresses, pause=0.5, agent="me (+where)")
    assert {result.state for result in results} == {"fine"} and pauses == [0.5, 0.5]
    assert Server.agents == {"me (+where)"}


def test_an_exception_is_not_asked_and_named_when_it_is_needed_no_more(server):
    exceptions = [(server + "/g*", "known to be gone"), ("https://nowhere.example/*", "old")]
    results = links.check_outside({server + "/gone": ["a.html"], server + "/ok": ["a.html"]}, exceptions)
    assert [(r.state, r.words) for r in results] == [("excepted", "known to be gone"), ("fine", "answers 200")]
    assert [path for _, path in Server.asked] == ["/ok"]
    lines, well = links.summary(results, exceptions)
    assert well and lines == [
        "? the exception https://nowhere.example/* matches no link any more",
        "2 addresses: 1 fine, 0 moved, 1 excepted, 0 dead.",
    ]


def test_a_list_of_exceptions_without_reasons_is_refused(tmp_path):
    path = tmp_path / "links.yml"
    assert links.load_exceptions(path) == []
    for text in ("- address: https://a.example\n", "- {address: a, reason: }\n", "a: b\n", "- [\n"):
        path.write_text(text)
        with pytest.raises(UserError, match=r"links\.yml"):
            links.load_exceptions(path)
    path.write_text("- {address: 'https://a.example/*', reason: asks for a login}\n")
    assert links.load_exceptions(path) == [("https://a.example/*", "asks for a login")]


def test_the_books_own_exceptions_can_be_read():
    pass

    assert links.load_exceptions(links.exceptions_path(project.project_root(__file__ + "/..")))


@pytest.fixture
def book(tmp_path, monkeypatch, server):
    """A built book of one page in the current folder; returns the function that writes its links."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://github.com/OWNER/companion\n")
    (tmp_path / "_build" / "html").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def write(*addresses):
        body = "".join(f'<a href="{address}">x</a>' for address in addresses)
        (tmp_path / "_build" / "html" / "index.html").write_text(body)
        (tmp_path / "README.md").write_text(f"[one]({addresses[0]}) and <{addresses[-1]}>")

    return write


def test_the_command_says_what_is_dead_where_it_stands_and_how_many_are_fine(book, server, capsys, monkeypatch):
    monkeypatch.setattr("companion.publish.site.links.PAUSE", 0)
    monkeypatch.setattr(links.time, "sleep", lambda seconds: None)
    book(f"{server}/ok#part", f"{server}/ok", "page.html", f"{server}/for-good", f"{server}/gone")
    assert cli.main(["links"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"✗ {server}/gone: answers 404 Not Found (in index.html, README.md)",
        f"→ {server}/for-good: moved for good to {server}/ok (in index.html)",
        "3 addresses: 1 fine, 1 moved, 0 excepted, 1 dead.",
    ]
    book(f"{server}/ok")
    assert cli.main(["links"]) == 0
    assert capsys.readouterr().out == "1 address: 1 fine, 0 moved, 0 excepted, 0 dead.\n"


def test_without_a_network_the_command_asks_for_it_and_without_a_site_for_that(book, capsys, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        book(f"http://127.0.0.1:{unused.getsockname()[1]}/")
        assert cli.main(["links"]) == 1
    assert "None of the addresses answered: is there a network?" in capsys.readouterr().out
    (tmp_path / "_build" / "html" / "index.html").unlink()
    assert cli.main(["links"]) == 1
    assert "There is no built site" in capsys.readouterr().err
