"""What a fill's observer in the worker sends on, and how often."""

from pathlib import Path

import numpy as np
import pytest

from patchloom.events import LevelDone, LevelStarted, Step
from patchloom.server import engine
from patchloom.server.engine import Reporter
from patchloom.server.worker import Message

BOX = (4, 6, 20, 10)


def grey() -> np.ndarray:
    return np.full((10, 20, 3), 0.5, np.float32)


def test_pictures_come_soon_while_it_is_decided_and_then_one_a_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Message] = []
    clock = [100.0]
    monkeypatch.setattr(engine.time, "monotonic", lambda: clock[0])
    report = Reporter(tmp_path, sent.append, lambda: False)

    def level(stage: str) -> list[bool]:
        """24 steps in three seconds: which of those that are told have a picture."""
        del sent[:]
        report(LevelStarted(window=1, windows=2, level=0, levels=2, width=20, height=10, stage=stage))
        for step in range(24):
            clock[0] += 0.125
            report(Step(level=0, step=step + 1, of=24, fraction=0.1, window=1, preview=grey, box=BOX))
        steps = [message for message in sent if message["event"] == "step"]
        assert all(message["box"] == BOX and message["window"] == 1 for message in steps)
        report(LevelDone(window=1, level=0, stage=stage, seconds=3, preview=grey, box=BOX))
        assert "preview" in sent[-1]
        return ["preview" in message for message in steps]

    deciding, carrying = level("decide"), level("carry")
    assert deciding[0] and (sum(deciding), len(deciding)) == (4, 12)
    assert not any(carrying)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"preview-{n}" for n in range(1, sum(deciding) + 3)
    ]
