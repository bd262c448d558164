"""The texts of the pages for a search without a server."""

from small_site import PAGE

from companion.publish.site import search_texts

ARTICLE = """<section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1>
<section id="part"><h2>Its <em>part</em></h2></section></section><script>alert(1)</script>"""


def test_search_gets_the_words_of_every_page(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "book" / "one.html").write_text(PAGE % ARTICLE)
    (tmp_path / "search.html").write_text("<html><body><article>search</article></body></html>")
    search_texts.add_search_texts(tmp_path)
    assert not (tmp_path / "searchtexts.js").exists(), "a book without the script has no use for the texts"
    (tmp_path / search_texts.SCRIPT).write_text("")
    search_texts.add_search_texts(tmp_path)
    texts = (tmp_path / "searchtexts.js").read_text(encoding="utf-8")
    assert '<div id=\\"part\\">Its part' in texts and "alert" not in texts and "#</a>" not in texts
    assert "book/one.html" in texts and "search.html" not in texts
