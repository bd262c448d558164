"""Builds and checks the book; for maintainers. Nothing else in the package imports it."""

import errno

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """A mistake of the user's, said in one sentence; the command line prints it without a traceback and exits with 1."""


def disk_problem(error):
    """An error of the operating system as a sentence: which file, why, and what to do."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{reason}: this system allows too few open files at once; allow more, such as `ulimit -n 1024`."
    if error.errno in NO_ROOM:
        return f"{reason}: make room on the disk, and run the command again."
    if error.filename is None:
        return f"the system refuses something ({reason})."
    return f"{error.filename} cannot be read or written ({reason}): check that it is there, and its permissions."
