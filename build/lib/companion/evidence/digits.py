"""Numbers as text."""


def number(value, about=False):
    """A reported or measured number as text: thousands separated, digits as printed, lists by commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(number(v, about) for v in value)
    return ("≈ " if about else "") + (f"{value:,}" if isinstance(value, int) else str(value))
