import pytest

from patchloom.batch import machine
from patchloom.batch.work import Share


@pytest.mark.parametrize(
    ("cores", "free", "asked", "expected"),
    [
        (2, 20_000, {}, (2, Share(1, 8000, 16_000))),  # a laptop: as many workers as cores
        (2, 20_000, {"pictures": 1}, (1, Share(1, 16_000, 16_000))),  # one picture gets all memory
        (8, 5_000, {}, (4, Share(1, 1000, 4000))),  # memory bounds the workers
        (2, 20_000, {"memory_mb": 1000}, (1, Share(1, 1000, 1000))),
        (8, 20_000, {"threads": 4}, (2, Share(4, 8000, 16_000))),
        (2, 20_000, {"jobs": 3}, (3, Share(1, 5333, 16_000))),  # what is asked for is done
        (8, 20_000, {"gpu": True}, (1, Share(1, 16_000, 16_000))),
        (2, 0, {}, (2, Share(1, 0, 0))),  # a system that does not tell its memory
    ],
)
def test_workers_fit_cores_and_memory(
    monkeypatch: pytest.MonkeyPatch, cores: int, free: int, asked: dict[str, int], expected: tuple[int, Share]
) -> None:
    monkeypatch.setattr(machine, "processors", lambda: cores)
    monkeypatch.setattr(machine, "free_mb", lambda: free)
    assert machine.plan(**{"pictures": 0, **asked}) == expected


def test_the_machine_tells_something_plausible() -> None:
    assert machine.processors() >= 1
    assert machine.free_mb() >= 0
