"""The book's typefaces: they cover what the pages say, come early, weigh little, and no font of a machine is seen."""

import itertools
import json
import os
import re
from pathlib import Path

import fontsets
import pytest
from books import PAGES, ROOT
from bs4 import BeautifulSoup
from visits import FLAGS, Visit, chromium

from companion.publish.site import fonts

TTFont = pytest.importorskip("fontTools.ttLib").TTFont
STATIC = ROOT / "book" / "static"
FACES = {path.stem: path for path in sorted((STATIC / "fonts").glob("*.woff2"))}
KINDS = ["index", "dropout", "ledger", "layer-calculator", "glossary", "references"]  # one page of each kind

slow = pytest.mark.slow
in_browser = pytest.mark.browser
under_fonts = pytest.mark.fonts


def covered(*names):
    """The characters that these faces have, together."""
    return {chr(code) for name in names for code in TTFont(FACES[name]).getBestCmap()}


# ------------------------------------------------------------------------------------------------------ the committed files


def test_every_face_is_named_in_the_style_sheet_and_has_its_licence_beside_it():
    style = (STATIC / "fonts.css").read_text(encoding="utf-8")
    assert sorted(re.findall(r'url\("fonts/([\w-]+)\.woff2"\)', style)) == sorted(FACES)
    assert sum(path.stat().st_size for path in FACES.values()) < 110_000
    for name in ("text", "code", "signs"):
        (licence,) = (STATIC / "fonts").glob(f"LICENSE-{name}.*")
        assert re.search("SIL OPEN FONT LICENSE|Permission is hereby granted", licence.read_text(encoding="utf-8"))
    for path in FACES.values():
        names = {record.toUnicode() for record in TTFont(path)["name"].names if record.nameID in (1, 3, 4, 6)}
        assert names and all(name.startswith("Companion") for name in names), "a changed copy has a name of its own"


def test_a_file_that_only_some_pages_load_is_asked_for_by_each_of_its_characters():
    style = (STATIC / "fonts.css").read_text(encoding="utf-8")
    for name in ("letters", "signs"):
        first, last = re.search(rf"{name}\.woff2.*?unicode-range: U\+(\w+)-(\w+);", style, re.S).groups()
        outside = [char for char in covered(name) if not int(first, 16) <= ord(char) <= int(last, 16)]
        assert outside == [] or set(outside) == {" "}, name


def test_look_alikes_of_code_are_told_apart_and_all_characters_are_equally_wide():
    font = TTFont(FACES["code"])
    glyphs, cmap = font["glyf"], font.getBestCmap()
    drawn = {char: tuple(glyphs[cmap[ord(char)]].getCoordinates(glyphs)[0]) for char in "0Oo1lI|'`\"-_~"}
    for one, other in itertools.combinations(drawn, 2):
        assert drawn[one] != drawn[other], f"{one} and {other}"
    assert glyphs[cmap[ord("0")]].numberOfContours > glyphs[cmap[ord("O")]].numberOfContours, "the zero has a dot"
    assert {font["hmtx"][name][0] for code, name in cmap.items() if code not in range(0x300, 0x370)} == {600}


@pytest.mark.parametrize("name", ["text", "text-italic", "letters"])
def test_words_keep_their_letters_and_numbers_stand_in_columns(name):
    """Ligatures would stand in the text of the PDF, where they can be neither searched nor read aloud well."""
    font = TTFont(FACES[name])
    tags = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord} if "GSUB" in font else set()
    assert not tags & {"liga", "dlig", "clig", "calt", "hlig"}
    cmap = font.getBestCmap()
    wide = {font["hmtx"][cmap[ord(digit)]][0] for digit in "0123456789" if ord(digit) in cmap}
    assert not wide or max(wide) - min(wide) <= 1, "thousandths of the size"
    assert [(a.axisTag, a.minValue, a.maxValue) for a in font["fvar"].axes] == [("wght", 400, 700)]


def test_our_pictures_hold_no_text_that_a_machine_would_set():
    apart = {".ipynb_checkpoints", "ideas"}  # a picture of an idea stands in the page itself, and takes its face
    pictures = [path for path in (ROOT / "book").rglob("*.svg") if not apart & set(path.parts)]
    assert len(pictures) >= 2
    for path in pictures:
        assert "<text" not in path.read_text(encoding="utf-8"), path.name


def test_no_style_of_ours_names_a_font_of_a_machine():
    generic = {"sans-serif", "serif", "monospace", "inherit", "system-ui"}
    styles = [*STATIC.glob("*.css"), *(ROOT / "book" / "scripts").glob("*.css"), *ROOT.glob("src/companion/**/*.css")]
    assert len(styles) > 5
    for path in styles:
        text = re.sub(r"/\*.*?\*/|@font-face \{.*?\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        for value in re.findall(r"\bfont(?:-family)?: ([^;]+);", text):
            first = re.split(r"\d(?:pt|rem|em|px)(?:/\S+)? ", value)[-1].split(",")[0].strip('" ')
            assert first == "inherit" or first.startswith(("Companion", "var(")), f"{path.name}: {value}"
            assert set(re.split(r",\s*", value)[1:]) <= generic, f"{path.name}: {value}"


def test_the_characters_that_scripts_and_styles_write_have_a_face():
    known = covered("text", "letters", "signs")
    for path in [*(ROOT / "book" / "scripts").glob("*.*"), *STATIC.glob("*.css")]:
        lacking = {char for char in path.read_text(encoding="utf-8") if char.isprintable()} - known
        assert lacking == set(), f"{path.name}: add them to tools/fonts.py and run it"


# ---------------------------------------------------------------------------------------------------- the built pages


@slow
def test_every_character_of_the_pages_is_in_a_face_that_comes_with_them(html):
    text, code = covered("text", "letters", "signs"), covered("code", "letters", "signs", "text")
    assert covered("text") == covered("text-italic")
    lacking = {}
    for path in [html / "search.html", html / "404.html", *sorted((html / "book").glob("*.html"))]:
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in soup.select("script, style, .math, svg"):
            tag.decompose()
        for words in soup.find_all(string=True):
            known = code if words.find_parent(["code", "pre", "kbd", "samp"]) else text
            for char in set(words) - known - set("\n\t\u200b"):
                lacking.setdefault(f"{char} U+{ord(char):04X}", path.name)
    assert lacking == {}, "add them to tools/fonts.py and run it"


@slow
def test_the_typefaces_and_their_licences_lie_in_the_site_and_icons_are_cut_to_those_in_use(html):
    for path in (STATIC / "fonts").iterdir():
        assert (html / "_static" / "fonts" / path.name).read_bytes() == path.read_bytes()
    style = (html / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    page = BeautifulSoup((html / "book" / "dropout.html").read_text(encoding="utf-8"), "html.parser")
    for family, file in (("fa-solid, .fas", "fa-solid-900"), ("fa-brands, .fab", "fa-brands-400")):
        cmap = {}
        for suffix in ("woff2", "ttf"):
            path = html / fonts.ICONS / f"{file}.{suffix}"
            cmap[suffix] = TTFont(path).getBestCmap()
            assert path.stat().st_size < 12_000
        names = {name for tag in page.select(f".{family}") for name in tag["class"] if name.startswith("fa-")}
        codes = [re.search(rf'\.{name}:before[^{{}}]*\{{content:"\\(f\w+)"', style) for name in sorted(names)]
        wanted = {int(code.group(1), 16) for code in codes if code}
        assert wanted and wanted <= set(cmap["woff2"]) == set(cmap["ttf"]), "whoever has no scripts sees these"


def test_icons_that_nothing_names_leave_the_fonts_of_the_theme(tmp_path):
    theme = pytest.importorskip("pydata_sphinx_theme")
    source = (
        Path(theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static" / "vendor" / "fontawesome" / "webfonts"
    )
    folder = tmp_path / fonts.ICONS
    folder.mkdir(parents=True)
    (folder / "fa-solid-900.ttf").write_bytes((source / "fa-solid-900.ttf").read_bytes())
    rules = r'.fa-file:before{content:"\f15b"}.fa-bell:before,.fa-ring:before{content:"\f0f3"}a:after{content:"\f107"}'
    (tmp_path / "_static" / "a.css").write_text(rules)
    (tmp_path / "page.html").write_text('<i class="fas fa-file"></i>')
    fonts.cut_icons(tmp_path)
    assert set(TTFont(folder / "fa-solid-900.ttf").getBestCmap()) - {0x20} == {0xF15B, 0xF107}


def test_a_page_asks_first_for_the_faces_that_it_shows(tmp_path):
    folder = tmp_path / fonts.FACES
    folder.mkdir(parents=True)
    for name in ("text", "code", "letters", "signs"):
        (folder / f"{name}.woff2").write_bytes(FACES[name].read_bytes())
    (tmp_path / "book").mkdir()
    head = '<head><link rel="stylesheet" href="x/fonts.css" /></head>'
    page = tmp_path / "book" / "a.html"
    for body, names in (
        ("<p>Words → more</p>", ["text"]),
        ("<p><em>Words</em></p><script>'<code>◐'</script>", ["text", "text-italic"]),
        ("<p><code>x</code> ◐</p>", ["text", "code", "signs"]),
        ("<p>λ = 0.05</p>", ["text", "letters"]),
        ('<p title="λ">x</p><script>"λ"</script>', ["text"]),
    ):
        page.write_text(head + f"<body>{body}</body>", encoding="utf-8")
        fonts.preload(tmp_path)
        text = page.read_text(encoding="utf-8")
        assert f"of {json.dumps(names)})" in text and 'href: "../_static/fonts/"' in text
        assert text.index("preload") < text.index("stylesheet")
    page.write_text("<head></head><body>No style of ours</body>")
    fonts.preload(tmp_path)
    assert "preload" not in page.read_text()


# -------------------------------------------------------------------------------------------------------- in the browser

UNFOLD = "document.querySelectorAll('details').forEach(details => { details.open = true; })"
PAINT = "performance.getEntriesByName('first-contentful-paint')"
READY = "document.fonts.ready.then(() => 0)"
MARK = """() => {  // elements with words of their own, and those whose words a style writes
  const ours = (e) => !e.closest("script, style, noscript, svg, mjx-assistive-mml, title, head");
  const words = (e) => [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const written = (e) => ["::before", "::after"].some((p) => /["']/.test(getComputedStyle(e, p).content));
  const found = [...document.querySelectorAll("body, body *")].filter((e) => ours(e) && (words(e) || written(e)));
  found.forEach((e) => e.setAttribute("data-words", ""));
  return found.length;
}"""


@slow
@in_browser
@under_fonts
@pytest.mark.parametrize("name", [*(f"book/{kind}.html" for kind in KINDS), "search.html?q=dropout", "404.html"])
def test_no_font_of_the_machine_is_seen_on_a_page(browser, address, name):
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/{name}")
    page.evaluate("window.MathJax?.startup?.promise.then(() => 0)")
    page.evaluate(UNFOLD)
    page.evaluate(READY)
    tools = page.context.new_cdp_session(page)
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    count, seen, strange = page.evaluate(MARK), set(), []
    top = tools.send("DOM.getDocument")["root"]["nodeId"]
    nodes = tools.send("DOM.querySelectorAll", {"nodeId": top, "selector": "[data-words]"})["nodeIds"]
    assert len(nodes) == count > 10
    for node in nodes:
        for font in tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]:
            seen.add(font["familyName"])
            if not font["isCustomFont"]:
                html_of = tools.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"]
                strange.append(f"{font['familyName']}: {html_of[:120]}")
    assert strange == []
    assert "Companion Text" in seen
    page.close()


def fonts_of(page):
    """{file: [bytes, milliseconds until it was there]} of what the page fetched."""
    return page.evaluate(
        """() => Object.fromEntries(performance.getEntriesByType("resource").filter((r) => /woff2?|ttf/.test(r.name))
        .map((r) => [r.name.split("/").pop().split("?")[0], [r.encodedBodySize, r.responseEnd]]))"""
    )


FILES = {
    "Companion Text normal U+0-10FFFF": "text",
    "Companion Text italic U+0-10FFFF": "text-italic",
    "Companion Code normal U+0-10FFFF": "code",
    "Companion More normal U+100-3FF": "letters",
    "Companion More normal U+2000-2BFF": "signs",
}
SHOWN = """() => [...document.fonts].filter((f) => f.status === "loaded" && /Companion (?!Wait)/.test(f.family))
  .map((f) => f.family.replace(/["]/g, "") + " " + f.style + " " + f.unicodeRange)"""


@pytest.fixture(scope="module")
def front(browser, address):
    """The fonts of the front page, and their bytes."""
    visit = Visit(browser, f"{address}/{PAGES[0]}")
    fetched = {file: size for file, (size, _) in fonts_of(visit.page).items()}
    visit.close()
    return fetched


@slow
@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_the_faces_it_shows_and_has_them_before_its_first_picture(browser, address, front, name):
    """In one of three visits: on a busy machine the first picture may come early.

    All its fonts, icons and formulas too, weigh at most 200 kB together with those of the front page.
    """
    for visits_left in (2, 1, 0):
        visit = Visit(browser, f"{address}/{name}")
        page = visit.page
        page.evaluate(READY)
        fetched = fonts_of(page)
        first = page.wait_for_function(f"{PAINT}[0]").evaluate(
            "entry => entry.startTime"
        )  # noted after the fonts, at times
        late = {file: time for file, (_, time) in fetched.items() if Path(file).stem in FACES and time > first}
        if not late:
            break
        assert visits_left, f"the first picture came after {first} ms, {late}"
        visit.close()
    sizes = front | {file: size for file, (size, _) in fetched.items()}
    assert all(sizes.values()) and sum(sizes.values()) <= 200_000, sizes
    page.evaluate(UNFOLD)
    page.evaluate(READY)
    asked = page.eval_on_selector_all("link[rel=preload][as=font]", "all => all.map(link => link.href)")
    assert {Path(link).stem for link in asked} == {FILES[face] for face in page.evaluate(SHOWN)}
    visit.close()


def settled_height(page):
    """How long the page is as soon as that has not changed for half a second: formulas and boxes may still be set."""
    heights = [page.evaluate("document.body.scrollHeight")]
    while len(heights) < 60 and (len(heights) < 3 or len(set(heights[-3:])) > 1):
        page.wait_for_timeout(250)
        heights.append(page.evaluate("document.body.scrollHeight"))
    return heights[-1]


@slow
@in_browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", ["index", "dropout"])
def test_a_page_is_as_long_before_its_typefaces_come_as_after(browser, address, kind, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(120_000)
    page, held = context.new_page(), []
    context.route("**/_static/fonts/*.woff2", lambda route: held.append(route))
    page.goto(f"{address}/book/{kind}.html", wait_until="commit")
    page.wait_for_function("document.readyState !== 'loading' && (!window.MathJax?.startup || MathJax.startup.promise)")
    page.evaluate("window.MathJax?.startup?.promise?.then(() => 0)")
    lengths = [settled_height(page)]
    assert held and not page.evaluate("[...document.fonts].some((f) => /Text/.test(f.family) && f.status === 'loaded')")
    for route in held:
        route.continue_()
    page.wait_for_load_state("load")
    page.evaluate(READY)
    assert page.evaluate("[...document.fonts].some((f) => /Text/.test(f.family) && f.status === 'loaded')")
    lengths.append(settled_height(page))
    assert lengths[0] == pytest.approx(lengths[1], rel=0.03)
    context.close()


BOXES = """() => [...document.querySelectorAll("body *:not(script, mjx-assistive-mml, mjx-assistive-mml *)")].map((e) => {
  const box = e.getBoundingClientRect();
  const place = [box.x, box.y, box.width, box.height].map((value) => Math.round(value * 4) / 4).join(" ");
  return e.tagName + " " + place + " " + (e.children.length ? "" : e.textContent.slice(0, 30));
})"""


@slow
@in_browser
@pytest.mark.skipif(not Path("/etc/fonts").is_dir(), reason="fonts are chosen by fontconfig on Linux only")
def test_pages_look_the_same_on_a_machine_with_quite_other_fonts(browser, html, tmp_path):
    """Every box of each kind of page, on a desktop and a phone: with the machine's fonts and with serif faces alone."""
    import matplotlib

    only = tmp_path / "only"
    only.mkdir()
    for path in (Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("STIXGeneral*.ttf"):
        (only / path.name).write_bytes(path.read_bytes())
    other = {"FONTCONFIG_FILE": str(fontsets.settings([only], tmp_path))}
    seen, bare = [], []
    for environment in ({}, other):
        start = browser.browser_type.launch(executable_path=chromium(), args=FLAGS, env={**os.environ, **environment})
        found = {}
        for kind, width in [*((kind, 390) for kind in KINDS), ("index", 1440), ("ledger", 1440)]:
            visit = Visit(start, (html / "book" / f"{kind}.html").as_uri(), width)
            visit.page.evaluate(READY)
            visit.page.wait_for_timeout(300)
            visit.page.evaluate("document.querySelectorAll('*').forEach((e) => { e.scrollTop = 0; })")
            found[kind, width] = visit.page.evaluate(BOXES)
            visit.close()
        seen.append(found)
        plain = start.new_page()
        plain.set_content("<span style='font: 16px sans-serif'>What a machine would set</span>")
        bare.append(plain.locator("span").bounding_box()["width"])
        start.close()
    assert bare[0] != bare[1], "the two have different fonts"
    for key, boxes in seen[0].items():
        moved = [pair for pair in zip(boxes, seen[1][key], strict=True) if pair[0] != pair[1]]
        assert not moved, f"{key}: {len(moved)} boxes of {len(boxes)} differ, the first is {moved[0]}"
