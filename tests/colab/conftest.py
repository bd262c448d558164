"""The machine such as Colab lends, for the tests in this folder."""

from rehearsal import lent_machine

__all__ = ["lent_machine"]
