"""Work that is quick and can be told to misbehave by what is in the photo file; it travels to worker processes.

Each execution leaves a line in ``LOG`` beside the results, so that tests count what was really done.
"""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from patchloom.batch.folders import open_folder
from patchloom.batch.pairing import Pair
from patchloom.batch.work import FillPicture, Made, Outcome, Share, Stopped, Task
from patchloom.errors import BudgetError, PhotoError
from patchloom.events import Observer, Step, ignore

LOG = ".executions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reverse(FillPicture):
    """Writes the photo's bytes backwards. Everything around the fill itself is the real thing."""

    def fill(
        self,
        pair: Pair,
        photo_bytes: bytes,
        mask_bytes: bytes,
        share: Share,
        observe: Observer = ignore,
        room: Literal["share", "all", "half"] = "share",
        others: Sequence[tuple[str, bytes]] = (),
    ) -> Made:
        with Path(self.results, LOG).open("ab") as file:
            file.write(os.fsencode(f"{pair.output} {room} {os.getpid()} {share.memory_mb}\n"))
        word = photo_bytes.split()[0].decode()
        if word == "broken":
            raise PhotoError("The picture is cut short.")
        if word == "bug":
            raise ZeroDivisionError("a bug of ours")
        if word == "large" and room != "all":
            raise BudgetError("It needs more than a share.")
        if word == "deadly" or (word == "greedy" and room != "half"):
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "deaf":  # to being asked to stop
            time.sleep(60)
        for step in range(200 if word == "slow" else 1):
            observe(Step(level=0, step=step, of=200, fraction=step / 200))
            time.sleep(0.05 if word == "slow" else 0.0)
        return Made(photo_bytes[::-1], 0.1)

    def __call__(self, task: Task, share: Share, stopped: Stopped) -> Outcome:
        outcome = FillPicture.__call__(self, task, share, stopped)
        photo = open_folder(self.photos).read(task.pair.photo)
        if photo.startswith(b"mute") and outcome.status == "done" and not outcome.task.known.key:
            marker = Path(self.results, f".told-{task.pair.photo}")
            if not marker.exists():  # the result is written, but nobody hears of it
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return outcome


def executions(results: Path) -> list[list[str]]:
    """Name, room, process and share of each fill that was begun."""
    log = results / LOG
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def make_folder(root: Path, words: dict[str, str]) -> tuple[Path, Path, Path]:
    """Photos of the given words, a mask for each, and an empty folder for the results."""
    photos, masks, results = root / "photos", root / "masks", root / "results"
    for name, word in words.items():
        for folder, text in ((photos, f"{word} {name}"), (masks, "mask")):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.fsencode(text))
    results.mkdir(exist_ok=True)
    return photos, masks, results


def reverse(photos: Path, masks: Path, results: Path, recipe: Any, digest: str) -> Reverse:
    return Reverse(photos=str(photos), masks=str(masks), results=str(results), recipe=recipe, recipe_sha256=digest)
