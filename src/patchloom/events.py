"""What happens during a fill, a training or an evaluation, as values handed to one callable.

The terminal, the page, the trainers and the reports all listen through the same ``Observer``. Events are
emitted only between steps, at points where stopping is safe: an observer that raises
:class:`~patchloom.errors.Cancelled` ends the work there. :class:`CancelToken` does that for another thread.
"""

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchloom.errors import Cancelled

Preview = Callable[[], NDArray[np.float32]]
"""Called only by who wants to look: the current picture of the window, (H, W, 3) in 0..1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FillStarted(Event):
    width: int
    height: int
    windows: int
    hole_share: float  # of the photograph, 0..1


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelStarted(Event):
    """``level`` of ``levels`` (0 = coarsest) of ``window`` of ``windows`` begins; ``stage`` names the work."""

    window: int
    windows: int
    level: int
    levels: int
    width: int
    height: int
    stage: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step(Event):
    """One optimiser iteration, or one round of search and vote. ``fraction`` is of the whole fill, 0..1."""

    level: int
    step: int
    of: int
    fraction: float
    losses: dict[str, float] = field(default_factory=dict)
    window: int = 0
    preview: Preview | None = None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # the window in the photograph: x, y, width, height


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelDone(Event):
    window: int
    level: int
    stage: str
    seconds: float
    preview: Preview | None = None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # the window in the photograph: x, y, width, height


@dataclass(frozen=True, kw_only=True, slots=True)
class FillDone(Event):
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainStep(Event):
    step: int
    of: int
    epoch: int
    losses: dict[str, float]
    pictures_per_second: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseDone(Event):
    """One picture of a batch or an evaluation is finished; ``error`` says why it is not, if it is not.

    ``of`` is 0 where nobody knows how many there are, as while an archive is read."""

    name: str
    done: int
    of: int
    seconds: float
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned(Event):
    """``passing``: of the work now under way alone, not of its result."""

    message: str
    passing: bool = False


def as_json(event: Event) -> dict[str, Any]:
    """The event's name in snake case, as "event", and its fields but for the preview: on a terminal, between
    processes and over HTTP alike."""
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(event).__name__)
    values = {item.name: getattr(event, item.name) for item in fields(event) if item.name != "preview"}
    return {"event": name.lstrip("_"), **values}


Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The observer that looks at nothing."""


class PatchloomWarning(UserWarning):
    """What a person should know of a result, where no observer was given that tells it."""


def aloud(event: Event) -> None:
    """The observer of calls that are given none: what is warned of goes to Python's ``warnings``, all else to the
    logger ``patchloom``."""
    if not isinstance(event, Warned) or event.passing:
        return logging.getLogger("patchloom").debug("%s", event)
    names = [frame.f_globals["__name__"] for frame, _ in traceback.walk_stack(sys._getframe())]
    ours = [level for level, name in enumerate(names, 1) if name.startswith("patchloom.")]
    return warnings.warn(event.message, PatchloomWarning, stacklevel=max(ours) + 1)


class CancelToken:
    """Lets another thread or a signal handler stop a fill: ``token.guard(observer)`` raises once cancelled."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def guard(self, observe: Observer = ignore) -> Observer:
        """``observe``, preceded by the check. Raises :class:`Cancelled` from the next event on."""

        def guarded(event: Event) -> None:
            if self._event.is_set():
                raise Cancelled("Stopped as asked; nothing was written.")
            observe(event)

        return guarded
