"""``python -m patchloom``, and the ``patchloom`` program."""

import os
import sys
import threading


def main() -> None:
    """Runs the command line and exits with its code."""
    from patchloom.cli import run

    code = run(sys.argv[1:])
    if any(thread.daemon for thread in threading.enumerate()):
        # Work that Ctrl-C left behind is still in compiled code, which an ordinary exit would pull the floor from.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
