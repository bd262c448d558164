"""The PDF of the whole book, read by another program."""

import re
import unicodedata
from collections import Counter
from types import SimpleNamespace

import pytest
from books import NAMES, ROOT
from bs4 import BeautifulSoup
from small_site import ONE, PAGE, apart
from visits import chromium

from companion.publish import UserError
from companion.publish.carry import archive, pdf
from companion.publish.notebooks import chapters
from companion.publish.pages import handout

slow = pytest.mark.slow
in_browser = pytest.mark.browser
under_fonts = pytest.mark.fonts


# ---------------------------------------------------------------------------------------------- a site of two pages


@pytest.fixture
def merged(small):
    return BeautifulSoup(pdf.merge(small, small / "_build" / "html"), "html.parser")


def test_links_between_pages_become_links_inside_the_document(merged):
    links = {a.get_text(): a.get("href") for a in merged.select("#index a")}
    assert links == {
        "one": "#one",
        "deep": "#one--deep",
        "here": "#index--front",
        "out": "https://example.org/x",
        "JSON": "https://github.com/OWNER/small/blob/main/src/companion/evidence/records/one.json",
        "CSV": None,
    }, "what lies only beside the site keeps its name and loses its link"
    ids = Counter(tag["id"] for tag in merged.find_all(id=True))
    assert max(ids.values()) == 1
    assert {a["href"][1:] for a in merged.find_all("a", href=re.compile("^#"))} <= set(ids)


def test_references_styles_and_pictures_of_a_page_follow_its_ids(merged):
    assert merged.find(id="one--deep")["aria-labelledby"] == "one--one other"
    assert "#one--T_1_row0 {" in merged.select_one("#one style").string
    assert merged.select_one("#one img")["src"] == "html/_images/a.png"
    assert merged.find("link")["href"] == "html/_static/a.css"


def test_of_a_figure_with_several_renderings_paper_shows_the_light_and_wide_one(small):
    page = small / "_build" / "html" / "book" / "one.html"
    figure = """<a class="only-%s" href="../_images/%s.png"><picture><source media="(max-width: 540px)"
      srcset="../_images/%s-narrow.png"><img class="only-%s" src="../_images/%s.png" alt="Curves of two runs"></picture></a>"""
    both = figure % ("light", "a", "a", "light", "a") + figure % ("dark", "a-dark", "a", "dark", "a-dark")
    page.write_text(page.read_text().replace("<h2>Raw heading</h2>", f"<h2>Raw heading</h2>{both}"))
    merged = BeautifulSoup(pdf.merge(small, small / "_build" / "html"), "html.parser")
    assert [image["src"] for image in merged.select("#one picture img")] == ["html/_images/a.png"]
    assert not merged.find("source")


def test_the_site_has_a_public_address_to_which_its_files_lead(small):
    with open(small / "_config.yml", "a") as file:
        file.write("html: {baseurl: https://example.org/book}\n")
    merged = BeautifulSoup(pdf.merge(small, small / "_build" / "html"), "html.parser")
    assert merged.find("a", string="CSV")["href"] == "https://example.org/book/records/one.csv"


def test_solutions_outputs_and_evidence_are_open_and_folded_code_is_left_out(merged):
    text = merged.select_one("#one").get_text()
    assert not merged.find("details") and "Show" not in text and "alert" not in text
    for kept in ("figure", "solution code", "long output", "by pairs", "the evidence"):
        assert kept in text
    assert "Check: all" in [label.get_text() for label in merged.select("#one .unfolded-label")], (
        "a fold with a name keeps it"
    )
    for left_out in ("figure code", "install code"):
        assert left_out not in text
    assert text.count("Solution") == 1


def test_on_paper_a_word_of_the_glossary_is_plain_text_without_its_card(small):
    site = small / "_build" / "html"
    page = site / "book" / "one.html"
    word = '<a aria-describedby="meaning-term-x" class="term" href="index.html">a word</a>'
    html = page.read_text().replace("<h1>", f"<p>Read {word} here.</p><h1>", 1)
    page.write_text(html.replace("</article>", '</article><div class="term-cards" hidden>a card</div>', 1))
    merged = BeautifulSoup(pdf.merge(small, site), "html.parser")
    assert "Read a word here." in merged.get_text() and "a card" not in merged.get_text()
    assert not merged.select("a.term, [aria-describedby]")


def test_the_contents_name_parts_chapters_and_sections(merged):
    entries = [(a["href"], a.span.get_text()) for a in merged.select("nav a")]
    assert entries == [
        ("#index", "Front & first"),
        ("#one", "One"),
        ("#one--part", "Its part"),
        ("#one--heading-1", "Raw heading"),
    ]
    assert merged.select_one("nav .contents-part").get_text() == "Part <1>"
    assert [h.name for h in merged.select("#one :is(h1, h2, h3)")] == ["h1", "h2", "h3", "h3"], (
        "part, chapter, sections"
    )


def test_the_edition_for_courses_says_so_and_does_not_lead_to_the_solutions(small, merged):
    site = small / "_build" / "html"
    course = BeautifulSoup(pdf.merge(small, site, solutions=False), "html.parser")
    assert merged.select_one(".title-page a")["href"] == "https://github.com/OWNER/small"
    assert not course.select(".title-page a") and handout.BANNER in course.select_one(".title-page").get_text()
    assert "the solutions" in merged.select_one("nav").get_text()
    assert "the solutions" not in course.select_one("nav").get_text()
    with pytest.raises(UserError, match=r"run `companion build --without-solutions` first"):
        next(archive.make(small, solutions=False))


def test_chromium_is_looked_for_on_the_path_and_then_where_playwright_keeps_its_own(tmp_path, monkeypatch):
    own = SimpleNamespace(chromium=SimpleNamespace(executable_path=str(tmp_path / "own")))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs Chromium or Chrome and finds none"):
        pdf.browser_path(own)
    (tmp_path / "own").touch()
    assert pdf.browser_path(own) is None
    (tmp_path / "google-chrome").touch(0o755)
    assert pdf.browser_path(own) == str(tmp_path / "google-chrome")


@slow
@in_browser
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<p>" + "x" * 50 + "</p>", None),
        ('<img src="../_images/none.png" alt="Nothing">', "one: a picture is missing: Nothing"),
        ('<p style="white-space: nowrap">' + "word " * 60 + "</p>", "one: wider than the page: word"),
        (
            '<p><img src="http://127.0.0.1:9/x.png" alt="Away"></p>',
            "ask for something from outside: http://127.0.0.1:9",
        ),
    ],
)
def test_what_would_be_cut_off_or_missing_on_paper_is_refused_and_an_old_pdf_stays(browser, small, body, problem):
    target = small / "book.pdf"
    target.write_bytes(b"old")
    page = ONE.replace('<img src="../_images/a.png" alt="A picture of nothing at all">', body)
    (small / "_build" / "html" / "book" / "one.html").write_text(PAGE % page)
    if problem:
        with pytest.raises(UserError, match=re.escape(problem)):
            apart(pdf.make_pdf, small, small / "_build" / "html", target)
        assert target.read_bytes() == b"old"
    else:
        assert apart(pdf.make_pdf, small, small / "_build" / "html", target) == 4
        assert target.read_bytes().startswith(b"%PDF")
    assert not list(small.glob("*.part"))


# ------------------------------------------------------------------------------------------------------ the real PDF


@pytest.fixture(scope="module")
def printed(html, tmp_path_factory):
    """(the PDF as pypdf reads it, the text of each page, the document it was printed from)."""
    pypdf = pytest.importorskip("pypdf")
    if chromium() is None:
        pytest.skip("no Chromium installed (set CHROMIUM to its path)")
    target = tmp_path_factory.mktemp("pdf") / "companion.pdf"
    pages = apart(pdf.make_pdf, ROOT, html, target)
    reader = pypdf.PdfReader(target)
    assert len(reader.pages) == pages
    texts = [page.extract_text() for page in reader.pages]
    return reader, texts, BeautifulSoup((ROOT / "_build" / "print.html").read_text(encoding="utf-8"), "html.parser")


def squeezed(text):
    """Without spaces and ligatures: two programs seldom agree about those."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@slow
@in_browser
@under_fonts
def test_no_page_is_blank_and_each_has_its_number(printed):
    reader, texts, _ = printed
    assert len(texts) > 50
    for number, (page, text) in enumerate(zip(reader.pages, texts, strict=True), 1):
        assert len(text) > 60 or page.images, f"page {number} is blank"
        if number > 1:
            assert re.match(rf"{number}(?!\d)", text), f"page {number}: {text[:80]}"
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842], "A4"


@slow
@in_browser
@under_fonts
def test_the_page_numbers_of_the_contents_are_where_the_headings_are(printed):
    _, texts, document = printed
    entries = [(a.span.get_text(" ", strip=True), a["href"]) for a in document.select("nav.book-contents a")]
    assert len(entries) > 50 and {f"#{name}" for name in NAMES} <= {href for _, href in entries}
    first = next(i for i, text in enumerate(texts) if "Contents" in text)
    pages = [re.sub(rf"^{number}\s*", "", texts[number - 1]) for number in range(first + 1, first + 5)]
    contents, position, before = squeezed("·".join(pages)), 0, 0
    for title, href in entries:
        words = squeezed(title)
        position = contents.index(words, position) + len(words)
        number = int(re.match(r"\d+", contents[position:]).group())
        lines = [squeezed(line) for line in texts[number - 1].splitlines()]
        runs = {"".join(lines[i : i + n]) for i in range(len(lines)) for n in (1, 2, 3)}
        assert words in runs, f"{title} ({href}) is no line of page {number}"
        assert number >= before
        before = number


@slow
@in_browser
@under_fonts
def test_links_inside_the_pdf_have_their_places_and_those_outside_an_address(printed):
    reader, texts, document = printed
    places = {name.lstrip("/"): reader.get_destination_page_number(d) for name, d in reader.named_destinations.items()}
    inside, outside = [], []
    for number, page in enumerate(reader.pages):
        for link in (note.get_object() for note in page.get("/Annots", [])):
            if "/Dest" in link:
                inside.append((number, str(link["/Dest"]).lstrip("/")))
            else:
                outside.append(link["/A"]["/URI"])
    assert {name for _, name in inside} <= set(places)
    assert {a["href"][1:] for a in document.find_all("a", href=re.compile("^#"))} == {name for _, name in inside}
    assert all(re.match(r"https?://[^/]+", address) for address in outside) and len(set(outside)) > 20
    starts = {name: places[name] for name in NAMES}
    ends = dict(zip(NAMES, [*list(starts.values())[1:], len(texts)], strict=True))
    across = [
        (n, to) for n, to in inside if to in starts and starts["dropout"] <= n < ends["dropout"] and to != "dropout"
    ]
    back = [n for n, to in inside if to == "dropout" and n > ends["dropout"]]
    assert back or across, "chapters link to each other"
    for name, number in starts.items():
        assert squeezed(document.find(id=name).h2.get_text()) in squeezed(texts[number])


@slow
@in_browser
@under_fonts
def test_the_bookmarks_hold_every_chapter_with_its_sections(printed):
    reader, _, document = printed

    def tree(entries):
        pairs = zip(entries, [*entries[1:], None], strict=True)
        return [(e.title, tree(n) if isinstance(n, list) else []) for e, n in pairs if not isinstance(e, list)]

    expected, level = [], {0: []}
    level[0] = expected
    for heading in document.select("h1, h2, h3, h4, h5, h6"):
        depth, children = int(heading.name[1]), []
        level[max(d for d in level if d < depth)].append((heading.get_text(), children))
        level = {d: below for d, below in level.items() if d < depth} | {depth: children}
    assert tree(reader.outline) == expected
    titles = [title for _, chapters_of_a_part in expected for title, _ in chapters_of_a_part]
    assert {document.select_one(f"#{name} .chapter-title").get_text() for name in NAMES} <= set(titles)


@slow
@in_browser
@under_fonts
def test_formulas_are_drawn_and_no_tex_is_left(printed):
    _, texts, document = printed
    words = squeezed("During training, dropout switches each unit")
    number = next(number for number, text in enumerate(texts) if words in squeezed(text))
    assert "⊙" in texts[number] + texts[number + 1], "h' = m ⊙ h / (1 − p), which may come after the page break"
    formulas = [f.get_text() for f in document.select(".math")]
    assert len(formulas) > 20
    commands = {c for f in formulas for c in re.findall(r"\\[a-z]{3,}", f)}
    assert [c for c in commands if any(c in text for text in texts)] == []


@slow
@in_browser
@under_fonts
def test_solutions_stand_open_and_the_installation_is_left_out(printed):
    _, texts, _ = printed
    book = squeezed(" ".join(texts))
    assert squeezed("%pip install") not in book and "Showcodecell" not in book
    for name in NAMES:
        source = chapters.read_source(ROOT, name)
        solutions = [c for c in chapters.code_cells(source) if "solution" in chapters.tags(c)]
        assert solutions
        for cell in solutions:
            lines = [
                line for line in cell.source.splitlines() if not line.startswith("# @title")
            ]  # the name of its fold
            assert squeezed(lines[0]) in book, f"{name}: {lines[0]}"


@slow
@in_browser
@under_fonts
def test_every_letter_of_the_pdf_is_set_in_a_face_that_came_with_the_book(printed):
    reader, _, _ = printed
    names = set()
    for page in reader.pages:
        for font in (item.get_object() for item in page["/Resources"].get("/Font", {}).values()):
            descriptor = font.get("/FontDescriptor") or font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            names.add(re.sub(r"^/([A-Z]{6}\+)?", "", descriptor.get_object()["/FontName"]))
    assert {"CompanionText", "CompanionCode", "CompanionSigns"} <= names
    assert {name for name in names if not name.startswith(("Companion", "MathJax"))} == set()


@slow
@in_browser
def test_every_figure_is_printed_once_and_whole(printed):
    reader, _, document = printed
    resources = [page["/Resources"].get("/XObject", {}).values() for page in reader.pages]
    drawn = sum(item.get_object()["/Subtype"] == "/Image" for page in resources for item in page)
    figures = [image for image in document.select(".chapter img") if not image["src"].endswith(".svg")]
    assert drawn == len(figures) > 20, "a figure that is split over two pages is drawn twice"


@slow
@in_browser
@under_fonts
def test_nothing_sticks_out_of_the_page_and_it_is_light(printed):
    def look():
        with pdf.opened(ROOT / "_build" / "print.html") as page:
            pdf.prepare(page)
            return [page.evaluate(question) for question in (outside, "innerWidth", paper_colour)]

    outside = """[...document.querySelectorAll("body *")].filter(e => {
        const box = e.getBoundingClientRect();
        if (!box.width || e.closest(".math, .visually-hidden")) return false;
        const cut = !e.closest("svg") && e.clientWidth && e.scrollWidth > e.clientWidth + 1;
        return cut || box.right > innerWidth + 1.5 || box.left < -1;
      }).map(e => e.tagName + " " + e.className + ": " + e.textContent.slice(0, 40))"""
    paper_colour = "getComputedStyle(document.body).backgroundColor"
    assert apart(look) == [[], pdf.CONTENT_WIDTH, "rgb(255, 255, 255)"]
