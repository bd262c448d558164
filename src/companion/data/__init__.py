"""Every data set of the book as named splits of tensors: embedded ones, made in a second, real ones, read from disk.

Real sets lie in the folder named by the environment variable COMPANION_DATA, or else in a cache folder of the user's.
What is missing is downloaded once. Every real set is verified by its content: the SHA-256 of the decoded training arrays.
"""

from importlib import import_module
from inspect import signature

from companion.catalogue import SETS


def load_dataset(name, **options):
    """The data set of that name (a key of `companion.catalogue.SETS`) as `Splits`; options go to its own function.

    Raises DataError where there is no such set, and where it has no such option.
    """
    from companion.data.files import DataError

    if name not in SETS:
        raise DataError(f"There is no data set named {name!r}; choose one of {', '.join(SETS)}.")
    source = SETS[name]
    load = getattr(import_module(f"companion.{source.module}"), source.loader)
    known = signature(load).parameters
    if strange := [option for option in options if option not in known]:
        choice = f"it has {', '.join(known)}" if known else "it has none"
        raise DataError(f"The data set {name!r} has no option {strange[0]!r}; {choice}.")
    return load(**options)
