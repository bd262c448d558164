"""Every data set of the book as named splits of tensors: embedded ones, made in a second, real ones, read from disk.

Real sets lie in the folder named by the environment variable COMPANION_DATA, or else in a cache folder of the user's.
What is missing is downloaded once. Every real set is verified by its content: the SHA-256 of the decoded training arrays.
"""

from importlib import import_module

from companion.catalogue import SETS


def load_dataset(name, **options):
    """The data set of that name (a key of `companion.catalogue.SETS`) as `Splits`; options go to its own function."""
    if name not in SETS:
        from companion.data.files import DataError

        raise DataError(f"There is no data set named {name!r}; choose one of {', '.join(SETS)}.")
    source = SETS[name]
    return getattr(import_module(f"companion.{source.module}"), source.loader)(**options)
