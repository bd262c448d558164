"""What search engines and link previews get of a page: a description and Open Graph tags."""

from companion.publish.site.rendering import render

DESCRIPTION = 200  # characters at most, cut at a sentence or a word


def description(doctree):
    """The first paragraph of a page, shortened at the end of a sentence or a word; "" without one.

    Paragraphs in boxes, in a chapter's head, in tables and in the outputs of cells do not count.
    """
    from docutils import nodes

    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(paragraph.astext().split())
        if not words or _apart(paragraph):
            continue
        if len(words) > DESCRIPTION:
            cut = words[: DESCRIPTION - 1]
            sentence = cut[: cut.rfind(". ") + 1]
            words = sentence if len(sentence) > DESCRIPTION / 2 else cut.rpartition(" ")[0].rstrip(",;:–") + "…"
        return words
    return ""


BESIDE = {"cell", "admonition", "chapter-head"}


def _apart(node):
    """Whether a node stands beside the page's own text."""
    from docutils import nodes

    while node := node.parent:
        if isinstance(node, nodes.Admonition | nodes.table) or BESIDE & set(node.get("classes", ())):
            return True
    return False


def tags(title, words, site_name, address):
    """The tags as lines of HTML; the canonical link itself comes from Sphinx."""
    kind = "website" if title == site_name else "article"
    properties = {"title": title, "description": words, "type": kind, "site_name": site_name, "locale": "en_GB"}
    if address:
        properties["url"] = address
    return render("meta_tags.html", words=words, properties=properties)
