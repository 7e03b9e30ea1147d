from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from patchloom.batch.folders import Found, open_folder
from patchloom.batch.journal import Known
from patchloom.batch.pairing import Naming
from patchloom.batch.watch import SETTLED, Watch


class Inbox:
    """A watch over two listings that the test edits, and a clock that it turns."""

    def __init__(self, results: Path) -> None:
        self.photos: list[Found] = []
        self.masks: list[Found] = []
        self.now = 0.0
        self.said: list[str] = []
        self.watch = Watch(
            self._listing(lambda: self.photos),
            self._listing(lambda: self.masks),
            Naming(),
            open_folder(results),
            {"old.jpg": Known()},
            complain=self.said.append,
            clock=lambda: self.now,
        )

    def _listing(self, files: Callable[[], list[Found]]) -> Callable[[], Iterator[Found]]:
        return lambda: iter(files())

    def after(self, seconds: float) -> list[str]:
        """What is given to the workers that much later."""
        self.now += seconds
        return [task.pair.photo for task in self.watch.look()]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def test_a_file_counts_once_it_stays_as_it_is_and_its_mask_is_there(inbox: Inbox) -> None:
    inbox.photos = [Found("x.jpg", 100, "1")]
    assert inbox.after(0) == []
    inbox.photos = [Found("x.jpg", 200, "2")]  # still being written
    assert inbox.after(SETTLED) == []
    assert inbox.after(SETTLED) == []  # no mask yet
    inbox.masks = [Found("x.png", 10, "1")]
    assert inbox.after(0.1) == []
    assert inbox.after(SETTLED) == ["x.jpg"]
    assert inbox.after(SETTLED) == []  # once
    inbox.photos = [Found("x.jpg", 200, "3")]  # scanned again
    assert inbox.after(0) + inbox.after(SETTLED) == ["x.jpg"]


def test_a_conflict_is_said_once_and_stops_only_its_pictures(inbox: Inbox) -> None:
    inbox.photos = [Found("x.jpg", 1), Found("x.tif", 1), Found("y.jpg", 1)]
    inbox.masks = [Found("x.png", 1), Found("y.png", 1)]
    assert inbox.after(0) + inbox.after(SETTLED) + inbox.after(SETTLED) == ["y.jpg"]
    assert len(inbox.said) == 2


def test_results_of_others_are_left_alone(inbox: Inbox, tmp_path: Path) -> None:
    for name in ("old.jpg", "foreign.jpg"):
        (tmp_path / name).touch()
    inbox.photos = [Found("old.jpg", 1), Found("foreign.jpg", 1)]
    inbox.masks = [Found("old.png", 1), Found("foreign.png", 1)]
    assert inbox.after(0) + inbox.after(SETTLED) == ["old.jpg"]
    assert "foreign.jpg" in inbox.said[0]
