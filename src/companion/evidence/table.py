"""Verdicts as a table.

The template stands in this module, not in a file of its own, so that a notebook which shows a table depends on it.
"""

from dataclasses import asdict
from functools import cache

from companion.evidence.digits import number
from companion.evidence.ledger import ledger_rows, load_claims
from companion.evidence.statuses import SYMBOLS, slug

TEMPLATE = """\
{% macro table(rows, headings) -%}
<div class="claims-table"><table class="table">
<thead><tr>{% for heading in headings %}<th>{{ heading }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>
{%- endmacro %}

{% macro badge(status) -%}
<span class="verdict verdict-{{ status | slug }}">{{ status | symbol }} {{ status }}</span>
{%- endmacro %}

{% macro parts(evidence) -%}
{% for part in evidence.split("; ") %}{{ part }}{% if not loop.last %}<br>{% endif %}{% endfor %}
{%- endmacro %}
"""


def claims_table(verdicts):
    """Show one table with the verdict on every ledger row of the chapter.

    Raises ValueError when a row of the chapter is missing or judged twice. The verdicts travel in the output's metadata,
    from where the ledger page and `companion claims` collect them.
    """
    from IPython.display import display

    chapter = ledger_rows()[verdicts[0].claim_id].chapter
    judged = [verdict.claim_id for verdict in verdicts]
    missing = sorted(set(load_claims(chapter)) - set(judged))
    if missing or len(set(judged)) != len(judged) or len(judged) > len(load_claims(chapter)):
        raise ValueError(f"each row of {chapter} is judged exactly once; missing: {missing or 'none'}")
    rows = [table_row(ledger_rows()[verdict.claim_id], verdict) for verdict in verdicts]
    plain = "\n".join(f"{SYMBOLS[v.status]} {v.claim_id}: {v.status}" for v in verdicts)
    metadata = {"companion_claims": [asdict(verdict) for verdict in verdicts]}
    display({"text/html": table_html(rows), "text/plain": plain}, raw=True, metadata=metadata)


HEADINGS = ("What the report states", "Report", "Measured", "Verdict", "Evidence")


def table_row(claim, verdict):
    """The five cells of one claim, as HTML."""
    texts = claim.text, number(claim.reported, claim.about), number(verdict.measured)
    return *map(_escape, texts), _macros().badge(verdict.status), _macros().parts(verdict.evidence)


def table_html(rows, headings=HEADINGS):
    """An HTML table of such rows, which scrolls sideways by itself on a narrow screen; cells of plain text are escaped."""
    return str(_macros().table(rows, headings))


def environment(*loaders):
    """A Jinja2 environment that escapes what is put into its templates; `{% from "verdicts.html" import badge %}` works in each.

    `loaders` say where further templates are found.
    """
    from jinja2 import ChoiceLoader, DictLoader, Environment, StrictUndefined

    loader = ChoiceLoader([DictLoader({"verdicts.html": TEMPLATE}), *loaders])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"slug": slug, "symbol": SYMBOLS.__getitem__}
    return made


@cache
def _macros():
    return environment().get_template("verdicts.html").module


def _escape(text):
    from markupsafe import escape

    return escape(text)
