"""Everything that can go wrong for a user, as one tree.

::

    PatchloomError                  exit code 1
    ├── SettingsError                       2    an option that cannot be
    ├── MissingExtra                        2    an optional dependency that is not installed
    ├── InputError                          3    something about the files given
    │   ├── PhotoError                      3    the photograph cannot be read
    │   │   ├── Unsupported                 3    ... is of a kind that is not supported
    │   │   └── TooLarge                    3    ... has more pixels than allowed
    │   └── MaskError                       4    the mask is empty, full, or does not fit
    ├── WeightsError                        3    a weights file that is missing, damaged or unknown
    ├── BudgetError                         5    memory or time limit
    ├── OutputError                         7    the result exists already or cannot be written
    └── Cancelled                         130    the caller asked to stop

Each carries a sentence (``str(error)``) and, where there is one, a next step (``error.hint``). In the ``advice``
that the hint is made from a setting is written ``{max_memory}``, or ``{mask_mode alpha}`` with a value: each face
of the program spells it as its own users do, and leaves out lines that name what it has not (:func:`as_hint`).

They are caught in two places only: the command line and the server. Bugs of ours raise anything else.
"""

import re
from collections.abc import Callable
from typing import ClassVar

_SETTING = re.compile(r"\{([a-z_]+)(?: ([^{}]*))?\}")


def as_hint(advice: str, spelled: Callable[[str], str | None]) -> str:
    """The hint that ``advice`` gives where settings are named as ``spelled`` does; without the lines that name one
    for which that is None."""
    lines = [
        _SETTING.sub(lambda found: " ".join(filter(None, (spelled(found[1]), found[2]))), line)
        for line in advice.split("\n")
        if all(spelled(name) is not None for name, _ in _SETTING.findall(line))
    ]
    return " ".join(lines)


def as_flag(name: str) -> str:
    """A setting as the command line names it."""
    return "--hole-alpha" if name == "alpha" else "--" + name.replace("_", "-")


class PatchloomError(Exception):
    """Base of all errors that are meant for a person to read."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"  # stable, machine-readable; used in JSON output and by the server

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice
        self.hint = as_hint(advice, str)
        if self.hint:
            self.add_note(self.hint)


class SettingsError(PatchloomError):
    exit_code = 2
    code = "bad_settings"


class MissingExtra(PatchloomError):  # noqa: N818 - reads as a noun in the message
    exit_code = 2
    code = "missing_extra"


class InputError(PatchloomError):
    exit_code = 3
    code = "bad_input"


class PhotoError(InputError):
    code = "bad_photo"


class Unsupported(PhotoError):  # noqa: N818 - reads as an adjective in the message
    code = "unsupported"


class TooLarge(PhotoError):  # noqa: N818
    code = "too_large"


class MaskError(InputError):
    exit_code = 4
    code = "bad_mask"


class WeightsError(PatchloomError):
    exit_code = 3
    code = "bad_weights"


class BudgetError(PatchloomError):
    exit_code = 5
    code = "over_budget"


class OutputError(PatchloomError):
    exit_code = 7
    code = "bad_output"


class Cancelled(PatchloomError):  # noqa: N818
    exit_code = 130
    code = "cancelled"
