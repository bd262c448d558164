"""Verdicts as cards: the claim, the verdict on it, and a picture of what it rests on.

The templates and their layout stand in this module (and in `strips`), not in files of their own, so that a notebook which shows
cards depends on them. Colours come from the site's style sheets, where there are any.
"""

import re
from collections import Counter
from dataclasses import asdict
from itertools import groupby

from companion.evidence import intervals, strips
from companion.evidence.digits import number
from companion.evidence.ledger import ledger_rows, load_claims
from companion.evidence.statuses import GROUPS, SYMBOLS, group_of, slug
from companion.evidence.verdicts import Part

TEMPLATE = """\
{% from "strips.html" import strip, diamond %}

{% macro badge(status, counts="") -%}
<span class="verdict verdict-{{ status | slug }} is-{{ (status | group).key }}"><b class="verdict-sign">{{ status | symbol }}</b> {{ status }}
{%- if counts %} <small class="verdict-counts">{{ counts }}</small>{% endif %}</span>
{%- endmacro %}

{# the report's number stands in the picture too: there it is seen, here it is heard #}
{% macro phrases(list, heard="") -%}
{% if heard %}<span class="claim-heard">{{ heard }} </span>{% endif %}
{% for text in list %}<span>{{ text }}</span>{{ " " if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro part_row(claim, part) -%}
<div class="claim-part is-{{ (part.status | group).key }}" role="listitem">
<div class="claim-words">{{ part.what }}{% if part.expected %} <span class="claim-heard">stated: {{ part.expected }}</span>{% endif %}</div>
<div class="claim-verdict">{{ badge(part.status) }}</div>
<div class="claim-picture">{{ strip(part | drawn(claim)) }}<p class="claim-numbers">{{ phrases(part | in_words, part | stated(claim)) }}</p></div>
</div>
{%- endmacro %}

{# what is folded: one row for each part, or the evidence of verdicts that have none #}
{% macro parts(claim, verdict, name) -%}
{% set rows = verdict | parts_of(claim) %}
<details class="claim-parts"><summary>{{ name }}{% if rows | length > 1 %} <span class="claim-signs" aria-hidden="true">
{%- for part in rows %}<b class="verdict-sign is-{{ (part.status | group).key }}">{{ part.status | symbol }}</b>{% endfor %}</span>{% endif %}</summary>
{% if rows %}
<div role="list">
{% for part in rows %}
{{ part_row(claim, part) }}
{% endfor %}
</div>
{% else %}
<p class="claim-numbers">{% for text in verdict.evidence.split("; ") %}{{ text }}{% if not loop.last %}<br>{% endif %}{% endfor %}</p>
{% endif %}
</details>
{%- endmacro %}

{% macro card(claim, verdict, words) -%}
{% set rows = verdict | parts_of(claim) %}
<div class="claim-card{{ " is-short" if words != claim.text and rows | length < 2 }} is-{{ (verdict.status | group).key }}" role="listitem" id="verdict-{{ claim.id }}">
<div class="claim-words">{{ words }}</div>
<div class="claim-verdict">{{ badge(verdict.status, rows | count_parts) }}</div>
<div class="claim-picture">
{% if rows | length == 1 %}
{{ strip(rows[0] | drawn(claim)) }}
<p class="claim-numbers">{{ phrases(rows[0] | in_words, rows[0] | stated(claim)) }}</p>
{% endif %}
{% if rows | length != 1 or claim.kind == "text" %}
<p class="claim-numbers claim-evidence">{{ phrases(verdict | said(claim)) }}</p>
{% endif %}
{% if rows | length > 1 %}
{{ parts(claim, verdict, "The %d parts" | format(rows | length)) }}
{% endif %}
{{ caller() if caller is defined }}
</div>
</div>
{%- endmacro %}

{% macro key(kinds) -%}
<div class="claim-key" role="group" aria-label="How to read the pictures">
{% if "metric" in kinds %}
<span><svg width="14" height="14" aria-hidden="true">{{ diamond(50, 7, "currentColor") }}</svg> the report</span>
{% endif %}
<span><svg width="26" height="14" aria-hidden="true"><rect x="1" y="2" width="24" height="10" fill="currentColor" opacity="0.3"/><line x1="1" x2="1" y1="1" y2="13" stroke="currentColor"/><line x1="25" x2="25" y1="1" y2="13" stroke="currentColor"/></svg> 95 % interval of {{ kinds | each_kind("one further run", "the mean difference") }}</span>
<span><svg width="8" height="14" aria-hidden="true"><line x1="4" x2="4" y1="0" y2="14" stroke="currentColor" stroke-width="2"/></svg> our mean</span>
<span><svg width="10" height="14" aria-hidden="true"><circle cx="5" cy="7" r="2.8" fill="currentColor"/></svg> {{ kinds | each_kind("one run", "one pair of runs") }}</span>
{% if "order" in kinds %}
<span><svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" fill="currentColor" opacity="0.15"/></svg> what the report states of a difference</span>
{% endif %}
</div>
{%- endmacro %}

{% macro cards(groups, tally, kinds) -%}
<div class="claim-cards">
<style>{{ style }}</style>
<p class="claim-tally"><strong>{{ tally.values() | sum }} {{ "claim" if tally.values() | sum == 1 else "claims" }}:</strong>
{% for status, n in tally.items() %}
<span class="claim-tallied is-{{ (status | group).key }}"><b class="verdict-sign">{{ status | symbol }}</b> {{ n }} {{ status | plural(n) }}</span>
{% endfor %}
</p>
{% if kinds %}
{{ key(kinds) }}
{% endif %}
{% for setup, rows in groups %}
<div class="claim-group" role="group" aria-label="{{ setup or "Further claims" }}">
{% if setup %}
<p class="claim-setup">{{ setup }}</p>
{% endif %}
<div role="list">
{% for claim, verdict, words in rows %}
{{ card(claim, verdict, words) }}
{% endfor %}
</div>
</div>
{% endfor %}
</div>
{%- endmacro %}
"""
STYLE = """\
.claim-cards,.claim-parts{--card-agree:var(--verdict-agree,#2f7fd0);--card-part:var(--verdict-part,#a8750c);\
--card-differ:var(--verdict-differ,#d8541b);--card-open:var(--pst-color-text-muted,#7d7d7d);--card-line:var(--pst-color-border,rgba(128,128,128,.4))}
.claim-cards{--card-accent:var(--card-part);max-width:62rem;font-size:14px;line-height:1.45}
.claim-cards p,.claim-parts p{margin:0;font-size:inherit;line-height:inherit}
.claim-cards .is-agree,.claim-cards .is-answered,.claim-parts .is-agree{--card-accent:var(--card-agree)}
.claim-cards .is-differ,.claim-parts .is-differ{--card-accent:var(--card-differ)}
.claim-cards .is-open,.claim-parts .is-open{--card-accent:var(--card-open)}
.claim-cards .is-part,.claim-cards .is-mixed,.claim-cards .is-undecided,.claim-parts :is(.is-part,.is-mixed,.is-undecided){--card-accent:var(--card-part)}
.claim-card,.claim-part{display:flex;flex-wrap:wrap;gap:.15rem 1rem;align-items:baseline}
.claim-card{margin:.5rem 0;padding:.55rem .9rem .6rem;border:1px solid var(--card-line);border-left:4px solid var(--card-accent);border-radius:6px}
.claim-cards .claim-setup{margin:1.1rem 0 .3rem;font-weight:600}
.claim-words{flex:1 1 14rem;font-weight:600}
.is-short .claim-words{flex-basis:7rem}
.claim-part .claim-words{flex-basis:9rem;font-weight:400}
.claim-picture{flex:1 1 100%;min-width:0}
.claim-cards .verdict,.claim-parts .verdict{display:inline-block;padding:.05em .6em .05em .3em;border:1px solid var(--card-accent);border-radius:1em;font-weight:600;white-space:normal}
.verdict-sign{display:inline-block;width:1.35em;border-radius:1em;background:var(--card-accent,#7d7d7d);color:var(--card-paper,#fff);font-size:.85em;line-height:1.35em;text-align:center}
.verdict-counts{font-size:.9em;font-weight:400}
.claim-cards svg.strip,.claim-parts svg.strip{display:block;overflow:visible;max-width:34rem;height:64px;margin:.2rem 0}
.strip-bar,.strip-report path{fill:var(--card-accent)}
.strip-end{stroke:var(--card-accent)}
.strip-report path{stroke:var(--pst-color-background,transparent)}
.strip-label{font-weight:600}
.claim-numbers{font-size:.9em}
.claim-cards .claim-numbers,.claim-parts .claim-numbers{position:relative}
.claim-numbers span{white-space:nowrap}
.claim-heard{position:absolute;clip-path:inset(50%);overflow:hidden;width:1px}
.claim-evidence span{white-space:normal}
.claim-numbers span:not(:last-child,.claim-heard)::after{content:" ·";opacity:.6}
.strip + .claim-numbers{padding-left:4%}
.claim-tally,.claim-key{display:flex;flex-wrap:wrap;gap:.2rem .9rem;align-items:center}
.claim-key{--card-accent:currentcolor;margin:.4rem 0 .8rem;font-size:.9em}
.claim-key svg{vertical-align:-2px}
.claim-parts summary{min-height:24px;cursor:pointer}
.claim-part{padding:.5rem 0;border-top:1px solid var(--card-line)}
.claim-signs .verdict-sign{margin-left:3px}
.claim-group{container-type:inline-size}
@container (min-width:38rem){.is-short .claim-words,.claim-part .claim-words{flex:0 0 8.2rem}.is-short .claim-picture,.claim-part .claim-picture{order:1;flex:1 1 0}\
.is-short .claim-verdict,.claim-part .claim-verdict{order:2;flex:0 0 auto;min-width:6.2rem;max-width:10rem;text-align:right}.is-short,.claim-part{flex-wrap:nowrap;align-items:center}}
@media print{.claim-card,.claim-part{break-inside:avoid}.claim-parts::details-content{content-visibility:visible;block-size:auto}}
"""

SPLITS = {"train": "training", "val": "validation"}
PLURALS = {"agrees": "agree", "differs": "differ", "holds": "hold"}


def claims_table(verdicts):
    """Show one card with the verdict on every ledger row of the chapter.

    Raises ValueError when a row of the chapter is missing or judged twice. The verdicts travel in the output's metadata,
    from where the ledger page and `companion claims` collect them.
    """
    from IPython.display import display

    chapter = ledger_rows()[verdicts[0].claim_id].chapter
    judged = [verdict.claim_id for verdict in verdicts]
    missing = sorted(set(load_claims(chapter)) - set(judged))
    if missing or len(set(judged)) != len(judged) or len(judged) > len(load_claims(chapter)):
        raise ValueError(f"each row of {chapter} is judged exactly once; missing: {missing or 'none'}")
    plain = "\n".join(f"{SYMBOLS[v.status]} {v.claim_id}: {v.status}" for v in verdicts)
    metadata = {"companion_claims": [asdict(verdict) for verdict in verdicts]}
    display({"text/html": cards_html(verdicts), "text/plain": plain}, raw=True, metadata=metadata)


def cards_html(verdicts):
    """The cards in the order given; neighbours that are numbers of one network stand together below its name."""
    pairs = [(ledger_rows()[verdict.claim_id], verdict) for verdict in verdicts]
    groups = [
        (setup, [(claim, verdict, _words(claim, setup)) for claim, verdict in rows])
        for setup, rows in groupby(pairs, lambda pair: _setup(pair[0]))
    ]
    counts = Counter(verdict.status for verdict in verdicts)
    tally = {status: counts[status] for group in GROUPS for status in group.statuses if counts[status]}
    shown = [part for claim, verdict in pairs for part in parts_of(verdict, claim) if part.interval]
    kinds = {"order" if part.reported is None else "metric" for part in shown}
    return str(environment().get_template("verdicts.html").module.cards(groups, tally, kinds))


def each_kind(kinds, metric, order):
    """What a sign of the pictures means where there are numbers, orderings or both."""
    both = f"{metric}; for orderings, of {order}" if metric.startswith("one f") else f"{metric}; for orderings, {order}"
    return both if len(kinds) > 1 else metric if "metric" in kinds else order


def _setup(claim):
    """The network that a claim's number was measured of, where the row says nothing in words of its own."""
    return "" if claim.statement or claim.quantity else claim.setup


def _words(claim, setup):
    return f"{SPLITS.get(claim.split, claim.split)} {claim.metric}" if setup else claim.text


def parts_of(verdict, claim):
    """The parts of a verdict; one that was made before there were parts has the one that its interval tells of."""
    if verdict.parts or not verdict.interval:
        return list(verdict.parts)
    values = {"measured": verdict.measured, "interval": verdict.interval, "n": verdict.n or 0}
    return [Part("", verdict.status, reported=claim.reported, **values)]


def count_parts(parts):
    """The parts by their verdicts, in words: "2 hold, 1 undecided"; nothing where there is only one."""
    counts = Counter(part.status for part in parts)
    return ", ".join(f"{n} {plural(status, n)}" for status, n in counts.most_common()) if len(parts) > 1 else ""


def plural(status, n):
    """The verdict's word for n of them: "2 hold"."""
    verb, rest = re.match(r"(\w+)(.*)", status).groups()
    return (PLURALS.get(verb, verb) if n != 1 else verb) + rest


def stated(part, claim):
    """The report's number with which a part is compared, in words."""
    return f"report {_printed(part, claim)}" if part.reported is not None else ""


def in_words(part):
    """What a strip shows of our runs, as a list of short phrases."""
    if part.interval is None or part.measured is None:
        return [f"{part.n} recorded {'run' if part.n == 1 else 'runs'}: too few for an interval"]
    if part.reported is None:
        return _difference_in_words(part)
    centre, low, high = strips.spread(part.measured, part.interval)
    found = [f"our mean {centre}", f"one further run {low} to {high}", _runs(part)]
    if part.half_digit:
        found.append(f"{part.status} by half of the report’s last digit")
    return found


def _difference_in_words(part):
    centre, low, high = strips.spread(part.measured, part.interval, sign="+")
    found = [f"difference {centre}", f"95 % interval {low} to {high}"]
    if part.margin is not None:
        found.append(f"margin {part.margin:g}")
    if part.pointing is not None:
        found.append(f"as stated in {part.pointing} of {part.n} {part.units}")
    else:
        found.append(_runs(part))
    if part.p is not None:
        found.append(_probability("p", part.p))
    if part.p_holm is not None:
        found.append(_probability("Holm’s p", part.p_holm))
    if part.status == "undecided":
        found.append(f"n for 80 % power: {f'{part.needed:,}' if part.needed else f'more than {intervals.MOST:,}'}")
    if part.correlation is not None:
        found.append(f"correlation of the pairs {strips.minus(format(part.correlation, '.2f'))}")
    return found


def _probability(name, value):
    return f"{name} < 0.001" if value < 0.001 else f"{name} = {value:.2g}"


def _runs(part):
    return f"n = {part.n} {part.units}"


def said(verdict, claim):
    """The evidence of a verdict that has no picture, as a list of phrases; that of its parts stands in the fold."""
    found = [f"report {strips.minus(number(claim.reported, claim.about))}"] if claim.reported is not None else []
    if claim.kind == "count" and verdict.measured is not None:
        return [*found, f"counted {strips.minus(number(verdict.measured))}", *_off(claim.reported, verdict.measured)]
    if verdict.measured is not None:
        found.append(f"measured {strips.minus(number(verdict.measured))}")
    if verdict.parts and claim.kind != "text":
        return found
    return [*found, *filter(None, verdict.evidence.split("; "))]


def _off(reported, counted):
    """By how much a report's count is wrong, in a list; [] where it is right or there is no one number."""
    if not (isinstance(reported, int) and isinstance(counted, int)) or reported == counted:
        return []
    share = f" ({(reported - counted) / counted:+.2%})" if counted else ""
    return [strips.minus(f"off by {reported - counted:+,}{share}")]


def drawn(part, claim):
    """The strip of a part of this claim, see `strips.drawn`."""
    return strips.drawn(part, _reported(part, claim), _printed(part, claim))


def _reported(part, claim):
    """The report's number with which a part is compared, with the digits of the ledger; None for a comparison of ours."""
    stated = claim.reported if isinstance(claim.reported, list) else [claim.reported]
    wanted = part.reported
    same = [value for value in stated if None not in (value, wanted) and float(value) == float(wanted)]
    return same[0] if same else wanted


def _printed(part, claim):
    return strips.minus(number(_reported(part, claim), claim.about))


def environment(*loaders):
    """A Jinja2 environment that escapes what is put into its templates; `{% from "verdicts.html" import badge %}` works in each.

    `loaders` say where further templates are found.
    """
    from jinja2 import ChoiceLoader, DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    own = DictLoader({"verdicts.html": TEMPLATE, "strips.html": strips.TEMPLATE})
    made = Environment(
        loader=ChoiceLoader([own, *loaders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"slug": slug, "symbol": SYMBOLS.__getitem__, "group": group_of, "anchor": strips.anchor}
    made.filters |= {"parts_of": parts_of, "count_parts": count_parts, "plural": plural}
    made.filters |= {"each_kind": each_kind, "in_words": in_words, "stated": stated, "said": said, "drawn": drawn}
    made.globals["style"] = Markup(STYLE)
    return made
