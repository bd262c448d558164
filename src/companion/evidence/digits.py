"""Numbers as text."""


def number(value, about=False):
    """A reported or measured number as text: thousands separated, digits as printed, lists by commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(number(v, about) for v in value)
    return ("≈ " if about else "") + (f"{value:,}" if isinstance(value, int) else str(value))


def interval_text(low, high):
    """The two ends of an interval as text."""
    return f"{low:.3f} to {high:.3f}"
