"""Builds and checks the book; for maintainers. Nothing else in the package imports it."""


class UserError(Exception):
    """A mistake of the user's, said in one sentence; the command line prints it without a traceback and exits with 1."""
