"""The pages choose among the renderings of a figure: by theme, by width, on paper."""

import base64
import io

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from visits import served

from companion.publish.notebooks.figures import KEY
from companion.publish.site import accessible, figures

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><title>t</title><style>
html[data-theme=light] .only-dark, html[data-theme=dark] .only-light {display: none !important}</style></head>
<body><article class="bd-article"><h1>One</h1><a class="reference image-reference" href="../_images/a.png"><img
alt="Curves of two runs" src="../_images/a.png"/></a><p>text</p><img alt="Another figure, bare" src="../_images/b.png"/>
</article></body></html>"""


def png(colour, width=800, height=300):
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG", dpi=(200, 200))
    return file.getvalue()


def text(content):
    return base64.b64encode(content).decode()


def output_of(content, drawn):
    about = {
        "image/png": {"width": 400} | ({KEY: {kind: text(value) for kind, value in drawn.items()}} if drawn else {})
    }
    return nbformat.v4.new_output("display_data", data={"image/png": text(content) + "\n"}, metadata=about)


@pytest.fixture
def notebook():
    drawn = {"dark": png("black"), "narrow": png("gray", 390, 500), "narrow-dark": png("navy", 390, 500)}
    outputs = [output_of(png("white"), drawn), output_of(png("red"), {})]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("draw()", outputs=outputs)])


@pytest.fixture
def built(tmp_path, notebook):
    for folder in ("book", "_images"):
        (tmp_path / folder).mkdir()
    (tmp_path / "book" / "one.html").write_text(PAGE)
    (tmp_path / "_images" / "a.png").write_bytes(png("white"))
    (tmp_path / "_images" / "b.png").write_bytes(png("red"))
    accessible.mend(tmp_path)
    figures.show(tmp_path, figures.take([notebook]))
    return tmp_path


def test_what_a_reader_takes_away_has_no_renderings_in_it(notebook):
    assert len(figures.take([notebook])) == 1
    assert [dict(output.metadata) for output in notebook.cells[0].outputs] == [{"image/png": {"width": 400}}] * 2
    assert figures.take([notebook]) == {}


def test_a_figure_is_two_pictures_each_with_its_narrow_rendering_its_link_and_the_alt_text(built):
    soup = BeautifulSoup((built / "book" / "one.html").read_text(), "html.parser")
    light, dark = soup.select("a.image-reference")
    assert [link["href"] for link in (light, dark)] == ["../_images/a.png", "../_images/a-dark.png"]
    assert "only-light" in light["class"] and "only-dark" in dark["class"]
    for link, narrow in ((light, "a-narrow.png"), (dark, "a-narrow-dark.png")):
        (image,), (source,) = link.select("picture > img"), link.select("picture > source")
        assert image["src"] == link["href"] and source["srcset"] == f"../_images/{narrow}"
        assert image["alt"] == "Curves of two runs" and image["loading"] == "lazy"
        assert (image["width"], image["height"]) == ("400", "150") and (source["width"], source["height"]) == (
            "195",
            "250",
        )
    assert (built / "_images" / "a-dark.png").read_bytes() == png("black")


def test_a_figure_without_renderings_stays_the_one_picture_it_was(built):
    soup = BeautifulSoup((built / "book" / "one.html").read_text(), "html.parser")
    (bare,) = soup.find_all("img", src="../_images/b.png")
    assert bare.parent.name == "article" and not bare.get("class")
    before = (built / "book" / "one.html").read_bytes()
    figures.show(built, {})
    assert (built / "book" / "one.html").read_bytes() == before


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "theme", "shown"),
    [
        (1280, "light", "a.png"),
        (1280, "dark", "a-dark.png"),
        (390, "light", "a-narrow.png"),
        (390, "dark", "a-narrow-dark.png"),
    ],
)
def test_the_browser_fetches_the_rendering_that_fits_and_no_other(browser, built, width, theme, shown):
    page = built / "book" / "one.html"
    page.write_text(page.read_text().replace('data-theme="light"', f'data-theme="{theme}"'))
    window = browser.new_page(viewport={"width": width, "height": 900})
    asked = []
    window.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    with served(built) as address:
        window.goto(f"{address}/book/one.html")
        window.wait_for_load_state("networkidle")
    window.close()
    assert sorted(name for name in asked if name.startswith("a")) == [shown]
