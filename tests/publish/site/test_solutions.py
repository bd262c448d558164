"""One fold for each whole solution, whatever cells it is made of."""

import pytest
from bs4 import BeautifulSoup

from companion.publish.site import solutions

WORDS = '<div class="solution-part docutils container"><p>why</p></div>'


def cell(content, name="Show code cell content"):
    prompts = f'<p class="collapsed">{name}</p><p class="expanded">{name}</p>'
    fold = f'<details class="admonition hide above-input"><summary>{prompts}</summary><pre>{content}</pre></details>'
    return f'<div class="cell tag_solution tag_hide-cell">{fold}</div>'


def folded(body):
    soup = BeautifulSoup(f"<article><section>{body}</section></article>", "html.parser")
    solutions.fold(soup)
    return soup


def test_words_code_output_and_figures_of_a_solution_stand_in_one_fold():
    figure = '<div class="cell tag_solution"><pre>code</pre><img alt="a figure"/></div>'
    soup = folded(f"<p>Ask.</p>{WORDS}\n{cell('one', 'Solution')}\n{cell('two')}{figure}\n<p>After.</p>")
    (details,) = soup.find_all("details")
    assert details["class"] == ["solution"] and details.summary.get_text() == "Solution"
    assert details.find_all(["p", "pre", "img"])[-1]["alt"] == "a figure"
    assert details.get_text(" ", strip=True) == "Solution why one two code"
    assert [tag.name for tag in soup.section.find_all(recursive=False)] == ["p", "details", "p"]
    assert "tag_hide-cell" not in str(soup)


def test_each_exercise_has_a_fold_of_its_own_and_code_alone_gets_one_too():
    soup = folded(f"{cell('one')}<h3>Exercise 2</h3>{WORDS}{cell('two')}")
    assert [d.get_text(" ", strip=True) for d in soup.find_all("details")] == ["Solution one", "Solution why two"]


def test_a_fold_with_another_name_stays_a_fold_inside():
    soup = folded(WORDS + cell("assert it", "Check: the sum"))
    outer, inner = soup.find_all("details")
    assert inner.find_parent("details") is outer and inner.pre.get_text() == "assert it"


@pytest.mark.parametrize(
    "body", ["<p>no solution</p>", '<div class="cell tag_hide-input"><details class="hide"></details></div>']
)
def test_what_is_no_solution_stays_as_it_is(body):
    assert str(folded(body)) == f"<article><section>{body}</section></article>"
