"""``python -m patchloom``, and the ``patchloom`` program."""

import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    from patchloom.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
