"""Fills the templates in `templates/`, beside this module; whatever is put into one is escaped."""

from functools import cache
from pathlib import Path

from companion.evidence import table

TEMPLATES = Path(__file__).with_name("templates")


def render(template, **values):
    """The text of `templates/<template>` with these values; a name that it asks for in vain is an error."""
    return _environment().get_template(template).render(values).rstrip("\n") + "\n"


@cache
def _environment():
    from jinja2 import FileSystemLoader

    return table.environment(FileSystemLoader(TEMPLATES))
