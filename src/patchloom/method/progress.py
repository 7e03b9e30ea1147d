"""What a fill tells its observer while it works, and what it writes down for the report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from patchloom.errors import BudgetError
from patchloom.events import Event, LevelDone, LevelStarted, Observer, Preview, Step, Warned
from patchloom.method.patchfill import CARRIED_ROUNDS, ExemplarFill, Scales, Watch


class Tally:
    """How much of a whole fill is done, 0..1; windows that are filled at the same time add to it, and tell the
    observer one after the other."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.done = 0.0


@dataclass
class Progress:
    """One window's share of a fill.

    ``share`` says which part of the whole fill's work (0..1), of which the ``tally`` is kept, this window is;
    ``records`` collects a row a level for the report. Levels are announced with :meth:`begin`, which ends the one
    before.
    """

    observe: Observer
    window: int = 0
    windows: int = 1
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # of the window in the photograph: x, y, width, height
    share: float = 1.0
    tally: Tally = field(default_factory=Tally)
    records: list[dict[str, Any]] = field(default_factory=list)
    _open: tuple[dict[str, Any], float, Preview] | None = None
    _done: float = 0.0
    _planned: float = 1.0
    _levels: int = 1

    def plan(self, levels: int, work: float) -> None:
        """Announces how many levels will be reported and how much work (in any unit) there is."""
        self._levels, self._planned, self._done = levels, max(work, 1e-9), 0.0

    def of_exemplar(self, scales: Scales, rounds: Sequence[int], later: Sequence[float]) -> Watch:
        """Announces an exemplar fill, in units of a round at native size, and gives what listens to it.

        ``rounds`` of the levels up to the deciding one, which count as one; those after it are carried; ``later``:
        the work of the levels that will be optimised then."""
        last = len(rounds) - 1
        deciding = sum(count * scales.work(number) for number, count in enumerate(rounds))
        carrying = sum(CARRIED_ROUNDS * scales.work(number) for number in range(last + 1, len(scales)))
        self.plan(len(scales) - last + len(later), deciding + carrying + sum(later))
        newest: list[ExemplarFill] = []

        def watch(state: ExemplarFill) -> None:
            begins = not newest or state.number > max(last, newest[0].number)
            newest[:] = [state]
            if begins:
                height, width = scales.own[max(last, state.number)].size
                stage = "decide" if state.number <= last else "carry"
                self.begin(width, height, stage, lambda: newest[0].picture.clip(0, 1))
            if state.done:
                self.step(state.done, state.rounds, scales.work(state.number))
                self.note(rounds=state.rounds, distance=round(float(state.field.distance.mean()), 6))

        return watch

    def begin(self, width: int, height: int, stage: str, picture: Preview) -> None:
        """The next level begins; ``picture`` gives its current state, (H, W, 3) in 0..1."""
        number = len(self.records) + (self._open is not None)
        self.finish()
        self._tell(
            LevelStarted(
                window=self.window,
                windows=self.windows,
                level=number,
                levels=self._levels,
                width=width,
                height=height,
                stage=stage,
            )
        )
        row = {"level": number, "stage": stage, "width": width, "height": height}
        self._open = row, time.perf_counter(), picture

    def note(self, **values: Any) -> None:
        """Adds to the open level's row in the report."""
        if self._open is not None:
            self._open[0].update(values)

    def step(self, step: int, of: int, work: float, losses: dict[str, float] | None = None) -> None:
        """Round or iteration ``step`` (from 1) of ``of`` was ``work`` of what was planned.

        The observer may raise to stop the fill here.
        """
        row, picture = (self._open[0], self._open[2]) if self._open is not None else ({"level": 0}, None)
        with self.tally.lock:
            self._account(work)
            fraction = min(1.0, self.tally.done)
            self.observe(
                Step(
                    level=row["level"],
                    step=step,
                    of=of,
                    fraction=fraction,
                    losses=losses or {},
                    window=self.window,
                    preview=picture,
                    box=self.box,
                )
            )

    def complete(self) -> None:
        """The window is filled, whatever was planned."""
        self.finish()
        with self.tally.lock:
            self._account(self._planned)

    def _account(self, work: float) -> None:
        """Adds ``work`` to what is done of what was planned, and its share to the tally."""
        before = self._done
        self._done = min(self._planned, self._done + work)
        self.tally.done += self.share * (self._done - before) / self._planned

    def _tell(self, event: Event) -> None:
        with self.tally.lock:
            self.observe(event)

    def finish(self) -> None:
        """Ends the open level, if any."""
        if self._open is None:
            return
        row, begun, picture = self._open
        self._open = None
        row["seconds"] = round(time.perf_counter() - begun, 4)
        self.records.append(row)
        self._tell(
            LevelDone(
                window=self.window,
                level=row["level"],
                stage=row["stage"],
                seconds=row["seconds"],
                preview=picture,
                box=self.box,
            )
        )


class Listener:
    """Passes events on, remembers warnings, and enforces the time limit."""

    def __init__(self, observe: Observer, begun: float, time_limit: float) -> None:
        self.observe, self.begun, self.time_limit = observe, begun, time_limit
        self.warnings: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.warnings.append(event.message)
        if self.time_limit and time.perf_counter() - self.begun > self.time_limit:
            raise BudgetError(
                f"The fill took longer than {self.time_limit:g} s and was stopped.",
                "Use {preset fast}.\nOr allow more with {time_limit}.",
            )
        self.observe(event)
