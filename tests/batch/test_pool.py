"""Real worker processes, killed and stopped."""

import threading
import time
from typing import Any

import fake_work
import pytest

from patchloom.batch.work import Share
from patchloom.events import CancelToken, CaseDone, Event, Warned

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="sends SIGKILL")


def test_a_killed_worker_costs_one_picture(fake_batch: Any) -> None:
    words = {f"p{number:02}.jpg": "good" for number in range(12)}
    batch = fake_batch(words | {"p03.jpg": "deadly", "p05.jpg": "greedy", "p07.jpg": "mute"})
    summary = batch.run(workers=2)
    assert list(batch.failures()) == ["p03.jpg"]
    assert "SIGKILL" in batch.failures()["p03.jpg"]
    assert sorted(batch.done_records()) == sorted(set(words) - {"p03.jpg"})
    assert summary.counts["done"] == 11
    rooms = {name: [line[1] for line in fake_work.executions(batch.results) if line[0] == name] for name in words}
    assert rooms["p03.jpg"] == rooms["p05.jpg"] == ["share", "half"]  # again with less, then given up
    assert rooms["p07.jpg"] == ["share"]  # its result was written before the kill: recognised, not done again
    assert all(rooms[name] == ["share"] for name in set(words) - {"p03.jpg", "p05.jpg"})
    assert sum(isinstance(event, Warned) for event in batch.events) == 3


def test_a_stop_is_quick_and_resume_does_the_rest_once(fake_batch: Any) -> None:
    words = {f"p{number:02}.jpg": "good" for number in range(6)} | {"p06.jpg": "slow", "p07.jpg": "deaf"}
    batch = fake_batch(words)
    cancel, asked = CancelToken(), [0.0]

    def stop() -> None:
        asked[0] = time.monotonic()
        cancel.cancel()

    def stop_at_the_sixth(event: Event) -> None:
        if isinstance(event, CaseDone) and event.done == 6:
            threading.Timer(0.5, stop).start()  # by then the slow ones are under way

    summary = batch.run(workers=2, cancel=cancel, observe=stop_at_the_sixth)
    assert time.monotonic() - asked[0] < 8, "before either would have ended"
    assert summary.cancelled
    assert summary.counts["stopped"] == 2
    for name in ("p06.jpg", "p07.jpg"):
        assert not (batch.results / name).exists()
        (batch.photos / name).write_text("good")
    summary = batch.run(workers=2, existing="resume")
    assert summary.counts["done"] == 2
    assert sorted(batch.done_records()) == sorted(words)


def test_a_worker_that_grew_is_replaced(fake_batch: Any) -> None:
    batch = fake_batch({f"p{number}.jpg": "good" for number in range(4)})
    batch.run(workers=1, share=Share(1, 1, 1))  # every process is larger than this
    assert len({line[2] for line in fake_work.executions(batch.results)}) == 4
