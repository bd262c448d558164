"""What a reader takes away: notebooks, texts, and the notebooks to hand out in place of Colab."""

import pytest
from books import NAMES, ROOT
from bs4 import BeautifulSoup

from companion.publish.site import downloads

REPOSITORY = "https://github.com/OWNER/companion"
COLAB = "https://colab.research.google.com/github/OWNER/companion/blob/main/"
BINDER = "https://mybinder.org/v2/gh/OWNER/companion/main?urlpath=tree/"


def test_links_to_colab_lead_to_the_notebooks_to_hand_out_and_those_to_binder_go(tmp_path):
    (tmp_path / "book").mkdir()
    page = tmp_path / "book" / "a.html"
    page.write_text(
        f'<p><a class="x" href="{COLAB}book/one.ipynb#part">Colab</a> <a href="{BINDER}book/one.ipynb">Binder</a> '
        f'<a href="{COLAB}book/other.ipynb">Colab</a> <a href="https://example.org">out</a></p>'
    )
    (tmp_path / "b.html").write_text("<p>  left as it is")
    downloads.lead_to_handouts(tmp_path, REPOSITORY, ["one"])
    links = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("a")
    assert [(link["href"], link.text) for link in links] == [
        ("../handout/one.ipynb", "notebook"),
        (f"{COLAB}book/other.ipynb", "Colab"),
        ("https://example.org", "out"),
    ]
    assert links[0].has_attr("download") and (tmp_path / "b.html").read_text() == "<p>  left as it is"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_offers_the_tracked_notebook_and_its_markdown(html, name):
    page = BeautifulSoup((html / "book" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    for suffix in ("ipynb", "md"):
        assert (html / "_sources" / "book" / f"{name}.{suffix}").read_bytes() == (
            ROOT / "book" / f"{name}.{suffix}"
        ).read_bytes()
        address = f"../_sources/book/{name}.{suffix}"
        assert len(page.select(f".provenance a[download][href='{address}']")) == 1
        assert len(page.select(f".dropdown-download-buttons a[download][href='{address}']")) == 1
