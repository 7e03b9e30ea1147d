"""``python -m patchloom``, and the ``patchloom`` program."""

import contextlib
import os
import sys
import threading
from typing import Any, TextIO


class Messages:
    """Standard error, whose loss costs nobody their picture: where it is closed or its disk is full, the rest of
    what would be said is said to nobody."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the program runs

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _forget_unwritten(stream: TextIO) -> None:
    """What could not be written has been complained of: Python would try again, and end with a code of its own."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def main() -> None:
    """Runs the command line and exits with its code."""
    from patchloom.cli import run

    sys.stderr = Messages(sys.stderr)
    code = run(sys.argv[1:])
    if sys.stdout is not None:  # closed by who called us
        _forget_unwritten(sys.stdout)
    if any(thread.daemon for thread in threading.enumerate()):
        # Work that Ctrl-C left behind is still in compiled code, which an ordinary exit would pull the floor from.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
