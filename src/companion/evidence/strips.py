"""One comparison as a picture: where our runs lie, where one more would lie, and what the report states, on one line to scale.

A strip is an SVG whose horizontal places are percentages, so that it is as wide as its box while its letters keep their size,
on a phone too. Everything is drawn with plain attributes: in Colab and Jupyter, on white and on dark, no style sheet is needed.
"""

import math
from dataclasses import dataclass

from companion.evidence.digits import together
from companion.evidence.statuses import group_of

INSET = 4  # per cent of the width that stay free at either end
EDGE = 24  # per cent; a label nearer to an end than this grows inwards
ACCENTS = {"agree": "#2f7fd0", "answered": "#2f7fd0", "differ": "#d8541b", "open": "#7d7d7d"}  # without a style sheet
OTHER_ACCENT = "#a8750c"

TEMPLATE = """\
{% macro label(place, y, text, class) -%}
<text class="{{ class }}" x="{{ place }}%" y="{{ y }}" text-anchor="{{ place | anchor }}">{{ text }}</text>
{%- endmacro %}

{% macro diamond(place, y, colour) -%}
<svg class="strip-report" x="{{ place }}%" y="{{ y }}" overflow="visible"><path d="M0-7 7 0 0 7-7 0z" fill="{{ colour }}"/></svg>
{%- endmacro %}

{% macro strip(drawn) -%}
{% if drawn %}
<svg class="strip is-{{ drawn.group }}" width="100%" height="64" aria-hidden="true" focusable="false" font-size="12" fill="currentColor">
{% if drawn.zone %}
<rect class="strip-zone" x="{{ drawn.zone[0] }}%" y="17" width="{{ (drawn.zone[1] - drawn.zone[0]) | round(2) }}%" height="32" opacity="0.12"/>
{% endif %}
{% if drawn.zero is not none %}
<line class="strip-zero" x1="{{ drawn.zero }}%" x2="{{ drawn.zero }}%" y1="17" y2="49" stroke="currentColor" stroke-dasharray="3 2"/>
{% endif %}
{% if drawn.bar %}
<rect class="strip-bar" x="{{ drawn.bar[0] }}%" y="22" width="{{ (drawn.bar[1] - drawn.bar[0]) | round(2) }}%" height="10" fill="{{ drawn.colour }}" opacity="0.35"/>
{% for end in drawn.bar %}
<line class="strip-end" x1="{{ end }}%" x2="{{ end }}%" y1="21" y2="33" stroke="{{ drawn.colour }}" stroke-width="1.5"/>
{% endfor %}
{% endif %}
{% if drawn.mean is not none %}
<line class="strip-mean" x1="{{ drawn.mean }}%" x2="{{ drawn.mean }}%" y1="19" y2="35" stroke="currentColor" stroke-width="2"/>
{% endif %}
{% for run in drawn.runs %}
<circle class="strip-run" cx="{{ run }}%" cy="41" r="2.8" opacity="0.65"/>
{% endfor %}
{% if drawn.report is not none %}
{{ diamond(drawn.report, 27, drawn.colour) }}
{% endif %}
{{ label(drawn.label_at, 12, drawn.label, "strip-label") }}
<line class="strip-axis" x1="{{ drawn.axis[0] }}%" x2="{{ drawn.axis[1] }}%" y1="49" y2="49" stroke="currentColor" opacity="0.6"/>
{% for end, text in drawn.ends %}
<line class="strip-axis" x1="{{ end }}%" x2="{{ end }}%" y1="46" y2="52" stroke="currentColor" opacity="0.6"/>
{{ label(end, 62, text, "strip-number") }}
{% endfor %}
{% if drawn.zero is not none and 14 < drawn.zero < 86 %}
{{ label(drawn.zero, 62, "0", "strip-number strip-middle") }}
{% endif %}
</svg>
{% endif %}
{%- endmacro %}
"""


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, two round numbers with `places` decimals."""

    low: float
    high: float
    places: int

    def at(self, value):
        """Where a value stands, in per cent of the strip's width."""
        return round(INSET + (100 - 2 * INSET) * (float(value) - self.low) / (self.high - self.low), 2)

    @property
    def ends(self):
        """The two ends as text."""
        return tuple(minus(f"{end:,.{self.places}f}") if end else "0" for end in (self.low, self.high))


@dataclass(frozen=True)
class Drawn:
    """What a strip shows, in per cent of its width: `zone` is what the report states of a difference, `label` says it in words."""

    group: str
    colour: str
    axis: tuple
    ends: tuple
    label: str
    label_at: float
    runs: tuple = ()
    bar: tuple | None = None
    mean: float | None = None
    report: float | None = None
    zone: tuple | None = None
    zero: float | None = None


def scale(values, limits=None):
    """The `Scale` that shows all these values; `limits` are what is possible at all, and no end lies beyond them."""
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1
    power = math.floor(math.log10(span))
    step = 10.0**power * (0.2 if span < 2 * 10.0**power else 0.5 if span < 5 * 10.0**power else 1)
    places = max(0, -math.floor(math.log10(step)))
    ends = [math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step]
    if ends[0] == ends[1]:
        ends[1] += step
    least, largest = limits or (None, None)
    if least is not None and ends[0] < least <= low:
        ends[0] = least
    if largest is not None and high <= largest < ends[1]:
        ends[1] = largest
    return Scale(*(round(float(end), places) for end in ends), places)


def drawn(part, reported, text):
    """The picture of a `Part`, or None where there are too few runs for one.

    `reported` is the report's number and `text` how it is printed; both are of no use for an order, whose strip shows the
    difference against 0 and, as a zone, what the report states of it.
    """
    if part.interval is None or part.measured is None:
        return None
    order = reported is None
    shown = [*part.values, part.measured, *part.interval]
    if order:
        shown += [0, *([-part.margin, part.margin] if part.margin else [])]
    else:
        shown += [float(reported)]
    axis = scale(shown, None if order else part.limits)
    ends = axis.at(axis.low), axis.at(axis.high)
    group = group_of(part.status).key
    values = {
        "group": group,
        "colour": ACCENTS.get(group, OTHER_ACCENT),
        "axis": ends,
        "ends": tuple(zip(ends, axis.ends, strict=True)),
        "runs": tuple(map(axis.at, part.values)),
        "bar": tuple(map(axis.at, part.interval)),
        "mean": axis.at(part.measured),
    }
    if not order:
        place = axis.at(reported)
        return Drawn(**values, report=place, label=f"report {text}", label_at=place)
    zone = _zone(part, axis)
    middle = round(sum(zone) / 2, 2) if zone else 50.0
    label = f"report: {part.expected.partition(' (')[0]}" if part.expected else ""
    return Drawn(**values, zero=axis.at(0), zone=zone, label=label, label_at=middle)


def _zone(part, axis):
    """From where to where the difference lies as the report states it."""
    if part.margin:
        return axis.at(-part.margin), axis.at(part.margin)
    if part.expected.startswith("smaller"):
        return axis.at(axis.low), axis.at(0)
    if part.expected.startswith("larger"):
        return axis.at(0), axis.at(axis.high)
    return None


def anchor(place):
    """Whether a label at this place grows to the right, to both sides or to the left."""
    return "start" if place < EDGE else "end" if place > 100 - EDGE else "middle"


def minus(text):
    """A number's text with the sign that mathematics uses."""
    return text.replace("-", "−")


def spread(centre, interval, sign=""):
    """A mean and the ends of its interval, as three texts with the same number of decimals."""
    return tuple(map(minus, together(centre, *interval, sign=sign)))
