"""`companion` and `python -m companion`: the command line of the book."""

import sys


def main():
    """Run the command line; says which tools are missing where only the helpers are installed, as in Colab."""
    try:
        from companion.publish.cli import main as run

        return run()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("companion"):
            raise
        return f"companion: {error.name} is missing; install the book's tools with `pip install -r requirements.txt`."


if __name__ == "__main__":
    sys.exit(main())
