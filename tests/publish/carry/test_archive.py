"""The zip: the same bytes each time, and opened from the file system in a real browser."""

import zipfile
from urllib.parse import unquote, urlsplit

import pytest
from books import PAGES
from bs4 import BeautifulSoup
from small_site import apart
from visits import Visit

from companion.publish import cli
from companion.publish.carry import archive

slow = pytest.mark.slow
in_browser = pytest.mark.browser


def test_without_a_site_dist_says_what_to_do(small, monkeypatch, capsys):
    monkeypatch.chdir(small)
    (small / "_build" / "html" / "index.html").unlink()
    assert cli.main(["dist"]) == 1
    assert capsys.readouterr().err.strip() == ("companion: There is no built site to pack: run `make book` first.")
    assert not (small / "_build" / "dist").exists()


def test_without_chromium_the_zip_is_made_and_a_sentence_says_what_is_missing(small, monkeypatch, capsys):
    pytest.importorskip("playwright")
    monkeypatch.chdir(small)
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    assert apart(cli.main, ["dist"]) == 1
    shown = capsys.readouterr()
    assert "companion.zip" in shown.out and (small / "_build" / "dist" / "companion.zip").is_file()
    assert shown.err.strip() == "companion: CHROMIUM is 'no-such-browser', and there is no such program."
    assert sorted(p.name for p in (small / "_build" / "dist").iterdir()) == ["companion.zip"]


def test_the_zip_of_a_site_is_the_same_bytes_each_time(small):
    site, first, second = small / "_build" / "html", small / "a.zip", small / "b.zip"
    (site / "_static" / "a.css.map").write_text("{}")
    assert archive.make_zip(site, first) == 5
    (site / "book" / "one.html").touch()
    archive.make_zip(site, second)
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert names == sorted(names) and "companion/book/one.html" in names and not any("map" in name for name in names)


# ------------------------------------------------------------------------------------------------------ the real zip


@pytest.fixture(scope="module")
def unpacked(html, tmp_path_factory):
    """The folder that a reader gets out of the zip."""
    folder = tmp_path_factory.mktemp("reader")
    archive.make_zip(html, folder / "companion.zip")
    zipfile.ZipFile(folder / "companion.zip").extractall(folder)
    return folder / "companion"


@slow
def test_every_relative_link_of_the_zip_has_its_file(unpacked):
    missing = []
    for path in sorted(unpacked.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        links = [tag[a] for a in ("href", "src") for tag in soup.find_all(**{a: True})]
        for link in links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = (path.parent / unquote(parts.path)).resolve()
            if not (target.is_file() or (target / "index.html").is_file()):
                missing.append(f"{path.name}: {link}")
    assert missing == []


@slow
@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_zip_is_whole_over_file(browser, unpacked, name):
    visit = Visit(browser, (unpacked / name).as_uri())
    assert visit.outside == [] and visit.complaints == []
    assert visit.page.locator(".math mjx-container").count() >= visit.page.locator(".math").count()
    assert visit.page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
    visit.close()


@slow
@in_browser
def test_the_zip_opens_on_the_front_page_and_its_links_work(browser, unpacked):
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto((unpacked / "index.html").as_uri())  # sends the reader on to book/index.html
    page.locator("article a[href$='dropout.html']").first.click()
    page.locator("article h1", has_text="Dropout").wait_for()
    assert page.url.endswith("/book/dropout.html")
    page.close()


@slow
@in_browser
def test_search_by_a_title_finds_the_page_with_an_excerpt_over_file(browser, unpacked):
    for name in PAGES[1:]:
        soup = BeautifulSoup((unpacked / name).read_text(encoding="utf-8"), "html.parser")
        soup.select_one("h1 .headerlink").decompose()
        title = soup.h1.get_text()
        visit = Visit(browser, f"{(unpacked / 'search.html').as_uri()}?q={title.replace('?', '%3F')}")
        found = visit.page.locator(f"#search-results li:has(a[href='{name}'])").first
        excerpt = found.locator(".search-excerpt").first
        excerpt.wait_for()
        assert len(excerpt.inner_text()) > 40  # whole sentences of the best section, which may be short
        assert found.locator("a").first.inner_text() == title
        visit.page.wait_for_function("/\\d pages? found/.test(document.querySelector('#search-results').innerText)")
        assert visit.outside == [] and visit.complaints == []
        visit.close()
