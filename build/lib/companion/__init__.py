"""Helpers of the course companion: data, small networks, training, counting, plots, and the comparison with the reports.

Importing the package is fast: each name is looked up in its module when it is first used.
"""

from importlib import import_module

from companion.catalogue import MODULE_OF

__version__ = "0.1.0"
__all__ = sorted(MODULE_OF)


def __getattr__(name):
    if name in MODULE_OF:
        return getattr(import_module(f"companion.{MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'companion' has no attribute {name!r}")


def __dir__():
    return __all__
