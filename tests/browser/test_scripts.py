"""No script error on any page: each is visited once, over http and from the file system, and listened to."""

import pytest
from books import ADDED, PAGES
from visits import Visit

pytestmark = [pytest.mark.slow, pytest.mark.browser]

EVERY = [*PAGES, *ADDED, "search.html?q=dropout"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_no_page_has_a_script_error_or_asks_in_vain_for_a_file(browser, address, html, scheme):
    start, context, heard = address if scheme == "http" else html.as_uri(), browser.new_context(), []
    for name in EVERY:
        visit = Visit(browser, f"{start}/{name}", context=context)
        visit.page.wait_for_load_state("load")
        visit.page.mouse.wheel(0, 600)
        heard += [f"{name}: {line}" for line in visit.complaints]
        visit.close()
    context.close()
    assert heard == []


def test_the_front_door_leads_to_the_front_page_without_a_complaint(browser, html):
    page, heard = browser.new_page(), []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto((html / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    page.close()
    assert heard == []


def test_an_error_a_rejection_and_a_missing_file_would_be_heard(browser, tmp_path):
    script = (
        "console.error('said'); setTimeout(() => { throw new Error('thrown'); }); Promise.reject(new Error('refused'));"
    )
    (tmp_path / "page.html").write_text(f'<title>x</title><img src="gone.png" alt=""><script>{script}</script>')
    visit = Visit(browser, (tmp_path / "page.html").as_uri())
    visit.page.wait_for_timeout(300)
    assert all(any(word in line for line in visit.complaints) for word in ("said", "thrown", "refused", "gone.png"))
    visit.close()
