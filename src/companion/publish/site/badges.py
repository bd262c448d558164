"""The letters of the reports behind the chapters of the sidebar, on every page."""

import posixpath

from companion.publish.notebooks import chapters
from companion.publish.pages import parts


def marker(root):
    """mark(soup, page): writes behind each chapter of the page's sidebar which reports it judges."""
    reports = {f"book/{name}.html": parts.reports_of(name) for name in chapters.chapter_names(root)}

    def mark(soup, page):
        for link in soup.select("nav.bd-docs-nav a[href], .bd-sidebar-primary nav a[href]"):
            target = link["href"].partition("#")[0]
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) if target else page
            for report in reports.get(place, ()) if not link.find(class_="report-badge") else ():
                badge = soup.new_tag("span", attrs={"class": "report-badge", "title": f"Report {report}"})
                hidden = soup.new_tag("span", attrs={"class": "visually-hidden"})
                hidden.string = "report "
                badge.extend([hidden, report])
                link.extend([" ", badge])

    return mark
