"""The book's own Sphinx extension: what the pages need beyond the theme is put in while Sphinx writes them.

Kept here after trying the packages that do such work, on the 16 pages of this book. sphinxext-opengraph 0.13 cuts 15 of the 16
descriptions in the middle of a sentence, and writes `og:url` as a relative address while the site has none; what would be left
to it is three tags. sphinx-notfound-page needs the site's address too (see `entrances`).
"""

from pathlib import Path

from sphinx.errors import ExtensionError

from companion.publish import project
from companion.publish.site import entrances, meta_tags

SCRIPTS = "../scripts/"  # as seen from _static, where Jupyter Book would load every script on every page
EVERYWHERE, SEARCH = "accessible.js", "search.js"


def setup(app):
    """Called by Sphinx: says when each part of this extension has its turn."""
    app.connect("builder-inited", load_script)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", offer_both_halves, priority=502)  # the theme fills its menus at 501
    app.connect("html-page-context", load_search_script)
    app.connect("build-finished", drop_templates)
    app.connect("build-finished", write_entrances, priority=400)  # before the table of contents adds its bare redirect
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def load_script(app):
    """Every page loads the script that makes boxes reachable by the keyboard."""
    if _has_script(app, EVERYWHERE):
        app.add_js_file(SCRIPTS + EVERYWHERE, loading_method="defer")


def load_search_script(app, name, template, context, doctree):
    """The page with the results of a search loads the script that ranks and shows them."""
    if name == "search" and _has_script(app, SEARCH):
        app.add_js_file(SCRIPTS + SEARCH, loading_method="defer")


def _has_script(app, script):
    return any((Path(app.confdir) / folder / "scripts" / script).is_file() for folder in app.config.html_extra_path)


def describe(app, name, template, context, doctree):
    """The tags for search engines and previews; a page without a paragraph gets the front page's description."""
    if doctree is not None:
        words = meta_tags.description(doctree) or _general_description(app)
        title = _site_title(app) if name == app.config.root_doc else _title(app, name)
        address = context.get("pageurl") or ""
        context["metatags"] += "\n" + meta_tags.tags(title, words, _site_title(app), address)


def offer_both_halves(app, name, template, context, doctree):
    """The menu of downloads offers a chapter's notebook and its Markdown, and calls them that."""
    if context.get("page_source_suffix") != ".ipynb":
        return
    menus = [menu["buttons"] for menu in context.get("header_buttons", ()) if menu.get("label") == "download-buttons"]
    sources = [button for menu in menus for button in menu if button.get("label") == "download-source-button"]
    if len(sources) != 1:
        raise ExtensionError(
            f"the theme's menu of downloads of {name} has {len(sources)} buttons for the page's source where one is "
            "expected: it has changed, so companion.publish.site.extension has to follow"
        )
    (notebook,), (menu,) = sources, menus
    text = {
        **notebook,
        "url": notebook["url"].removesuffix(".ipynb") + ".md",
        "text": ".md",
        "label": "download-text-button",
    }
    notebook["tooltip"], text["tooltip"] = "Download the notebook", "Download its text"
    menu.insert(menu.index(notebook) + 1, text)


def drop_templates(app, exception):
    """The theme copies a template of its own among the static files, which is no page."""
    for template in (Path(app.outdir) / "_static").glob("*webpack-macros.html"):
        template.unlink()


def write_entrances(app, exception):
    """The front door and the page for addresses that lead nowhere."""
    if exception is None and app.builder.format == "html":
        source = Path(app.srcdir)
        names = [project.html_name(page) for page in project.toc_pages(source)[1:]]
        pages = [(name, _title(app, name.removesuffix(".html"))) for name in names]
        logo = (source / "_static" / "favicon.svg").read_text(encoding="utf-8").strip()
        title, address = _site_title(app), project.site_address(source)
        tags = meta_tags.tags(title, _general_description(app), title, address)
        entrances.write(
            Path(app.outdir), entrances.front_door(title, tags), entrances.not_found(title, address, logo, pages)
        )


def _site_title(app):
    return app.config.html_title


def _title(app, name):
    return app.env.titles[name].astext()


def _general_description(app):
    """The front page's description, or the book's title where it has none."""
    return meta_tags.description(app.env.get_doctree(app.config.root_doc)) or _site_title(app)
