"""What a person at a terminal sees: events as a progress bar, or a line a level, or JSON; tables; notes.

Standard output carries only data, so that it can be piped; everything said to a person goes to standard error.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from patchloom.events import (
    CaseDone,
    Event,
    FillDone,
    FillStarted,
    LevelDone,
    LevelStarted,
    Observer,
    Step,
    TrainStep,
    Warned,
    as_json,
    ignore,
)

Color = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Console:
    """How to speak: ``quiet`` says nothing but errors, ``verbose`` 1 adds levels, 2 adds every step."""

    quiet: bool = False
    verbose: int = 0
    json: bool = False
    progress: bool = True
    color: Color = "auto"

    def say(self, message: str) -> None:
        """One line for a person, on standard error."""
        if self.json:
            _json_line({"event": "message", "message": message})
        elif not self.quiet:
            self._errors().print(message, markup=False, highlight=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        if self.json:
            _json_line({"event": "warned", "message": message})
        else:
            self.say(f"note: {message}")

    def hear(self, event: Event) -> None:
        """An observer that tells warnings alone."""
        if isinstance(event, Warned):
            self.warn(event.message)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Data, on standard output: a table, or with ``json`` a list of objects."""
        if self.json:
            sys.stdout.write(
                json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str) + "\n"
            )
            return
        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        self._rich(sys.stdout).print(table)

    @contextmanager
    def listen(self) -> Iterator[Observer]:
        """An observer that shows what happens while the ``with`` block runs."""
        if self.json:
            yield _print_json
        elif self.quiet:
            yield ignore
        elif self.progress and self._errors().is_terminal and os.environ.get("TERM") != "dumb":
            with _Bar(self._errors(), self.verbose) as bar:
                yield bar
        else:
            yield _Lines(self)

    def _errors(self) -> RichConsole:
        return self._rich(sys.stderr)

    def _rich(self, file: Any) -> RichConsole:
        never = self.color == "never" or (self.color == "auto" and bool(os.environ.get("NO_COLOR")))
        return RichConsole(file=file, no_color=never, color_system=None if never else "auto", highlight=False)


def counted(number: int, noun: str) -> str:
    """``number`` and ``noun``, with an s unless it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def described(event: Event) -> str:
    """One line about an event that a log keeps; nothing for those that only move a bar."""
    match event:
        case FillStarted():
            share = f"{100 * event.hole_share:.2g} % to fill"
            return f"{event.width} x {event.height} pixels, {share}, {counted(event.windows, 'window')}"
        case LevelDone():
            return f"window {event.window + 1}, level {event.level + 1}, {event.stage}: {event.seconds:.1f} s"
        case FillDone():
            return f"filled in {event.seconds:.1f} s"
        case Warned():
            return f"note: {event.message}"
        case CaseDone():
            outcome = f"failed: {event.error}" if event.error else f"{event.seconds:.1f} s"
            return f"{_count(event)} {event.name}: {outcome}"
        case TrainStep():
            speed = f"{event.pictures_per_second:.0f} pictures/s, {_duration(event.seconds_left)} left"
            return f"step {event.step}/{event.of}, epoch {event.epoch}: {_losses(event.losses)}; {speed}"
        case _:
            return ""


class _Lines:
    """Where there is no terminal: a line a level, a case or a warning, or with -vv a step."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        if isinstance(event, Step) and self._console.verbose > 1:
            self._console.say(_step(event))
        elif text := described(event):
            self._console.say(text)


class _Iteration(ProgressColumn):
    """Which step of how many within the level."""

    def render(self, task: Any) -> Text:
        return Text(task.fields.get("iteration", ""), style="progress.remaining")


class _Bar:
    """One bar for the whole work: what is being done, how far, which iteration, how long still."""

    def __init__(self, console: RichConsole, verbose: int) -> None:
        self._verbose = verbose
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            _Iteration(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("preparing", total=1.0, iteration="")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case LevelStarted():
                window = f"window {event.window + 1}/{event.windows}, " if event.windows > 1 else ""
                level = f"level {event.level + 1}/{event.levels}, {event.stage}"
                self._progress.update(self._task, description=window + level, iteration="")
            case Step():
                iteration = f"{event.step}/{event.of}"
                self._progress.update(self._task, completed=event.fraction, iteration=iteration)
                if self._verbose > 1:
                    self._print(_step(event))
            case CaseDone():
                self._progress.update(
                    self._task,
                    description=event.name,
                    completed=event.done / event.of if event.of else 0.0,
                    iteration=_count(event),
                )
                if event.error or self._verbose:
                    self._print(described(event))
            case TrainStep():
                losses = _losses(event.losses)
                self._progress.update(
                    self._task,
                    description=f"epoch {event.epoch}, {losses}",
                    completed=event.step / max(event.of, 1),
                    iteration=f"{event.step}/{event.of}",
                )
            case FillStarted() | FillDone() | Warned():
                self._print(described(event))
            case LevelDone() if self._verbose:
                self._print(described(event))

    def _print(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_json(event: Event) -> None:
    _json_line(as_json(event))


def _json_line(values: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(values, default=str) + "\n")
    sys.stderr.flush()


def _step(event: Step) -> str:
    return f"level {event.level + 1}, step {event.step}/{event.of}: {_losses(event.losses)}"


def _losses(losses: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in losses.items())


def _count(event: CaseDone) -> str:
    return f"{event.done}/{event.of}" if event.of else str(event.done)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
