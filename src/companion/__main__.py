"""`companion` and `python -m companion`: the command line of the book."""

import sys


def main():
    try:
        from companion.build.cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(
            f"companion: {error.name} is missing; install the book's tools with `pip install -r requirements.txt`."
        )
    return run()


if __name__ == "__main__":
    sys.exit(main())
