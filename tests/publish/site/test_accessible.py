"""What is mended in the built pages, one thing at a time."""

from bs4 import BeautifulSoup
from PIL import Image

from companion.publish.site import accessible


def mended(body, tmp_path, head="", name="book/page.html"):
    """The soup of one page after the build's mending."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>", encoding="utf-8")
    accessible.mend(tmp_path)
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_theme_s_sidebar_drawers_and_button_get_their_places_and_names(tmp_path):
    body = '<button id="pst-back-to-top">Top</button><dialog id="pst-search-dialog"></dialog>'
    body += '<div id="pst-primary-sidebar"></div><main><p>text</p></main>'
    soup = mended(body, tmp_path)
    assert soup.find(id="pst-primary-sidebar")["role"] == "complementary"
    assert soup.dialog["aria-label"] == "Search"
    assert soup.main.button["id"] == "pst-back-to-top"


def test_scripts_that_the_theme_loads_twice_and_no_page_uses_are_gone(tmp_path):
    thebe = '<script>const THEBE_JS_URL = "https://example.org/thebe.js"</script>'
    head = thebe + '<script src="../_static/sphinx-thebe.js"></script>' + thebe + "<script>const other = 1</script>"
    head += '<link rel="stylesheet" href="../_static/sphinx-thebe.css"/><link rel="stylesheet" href="a.css"/>'
    soup = mended('<script type="text/x-thebe-config">{}</script><p>A page on Thebes</p>', tmp_path, head)
    assert [script.text for script in soup.find_all("script")] == ["const other = 1"]
    assert [link["href"] for link in soup.find_all("link")] == ["a.css"] and "Thebes" in soup.text


def test_a_hidden_name_gives_way_to_the_visible_one_and_a_bare_icon_gets_one(tmp_path):
    body = '<summary aria-label="Toggle hidden content">Show code</summary><button title="Full screen"><i></i></button>'
    soup = mended(body + '<button aria-label="Mode"><i title="Light"></i></button>', tmp_path)
    assert not soup.summary.has_attr("aria-label") and not soup.find("i", title=True)
    assert [button["aria-label"] for button in soup.find_all("button")] == ["Full screen", "Mode"]


def test_an_empty_corner_is_no_header_and_the_others_say_what_they_head(tmp_path):
    table = "<table><thead><tr><th></th><th>n</th></tr></thead><tbody><tr><th>a</th><td>1</td></tr></tbody></table>"
    soup = mended(f"<article>{table}</article>", tmp_path)
    assert [(cell.text, cell["scope"]) for cell in soup.find_all("th")] == [("n", "col"), ("a", "row")]
    assert len(soup.find_all("td")) == 2


def test_pictures_get_the_size_at_which_they_are_shown(tmp_path):
    for name, dots in (("plain", 100), ("sharp", 200)):
        Image.new("RGB", (400, 200)).save(tmp_path / f"{name}.png", dpi=(dots, dots))
    (tmp_path / "drawn.svg").write_text('<svg viewBox="0 0 64 32"></svg>')
    images = "".join(f'<img src="../{name}"/>' for name in ("plain.png", "sharp.png", "drawn.svg", "missing.png"))
    soup = mended(f"<article>{images}</article>", tmp_path)
    sizes = [(image.get("width"), image.get("height")) for image in soup.find_all("img")]
    assert sizes == [("400", "200"), ("200", "100"), ("64", "32"), (None, None)]


def test_a_file_of_the_menu_is_saved_and_no_window_opens(tmp_path):
    menu = '<div class="dropdown-download-buttons"><a href="a.md" target="_blank">.md</a><button>.pdf</button></div>'
    soup = mended(menu + '<a href="b.html" target="_blank">b</a>', tmp_path)
    assert [(link.has_attr("download"), link.get("target")) for link in soup.find_all("a")] == [
        (True, None),
        (False, "_blank"),
    ]
