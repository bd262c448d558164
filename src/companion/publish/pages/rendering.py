"""Fills the HTML templates in `templates/`, beside this module; whatever is put into one is escaped."""

from functools import cache

from companion.evidence import digits, strips, table


def render(template, **values):
    """The HTML of `templates/<template>.html` with these values; a name that the template asks for in vain is an error."""
    return _environment().get_template(f"{template}.html").render(values).strip()


@cache
def _environment():
    from jinja2 import PackageLoader

    made = table.environment(PackageLoader("companion.publish.pages"))
    made.filters["number"] = digits.number
    made.filters["minus"] = strips.minus
    made.globals["interval_text"] = lambda low, high: strips.minus(digits.interval_text(low, high))
    return made
