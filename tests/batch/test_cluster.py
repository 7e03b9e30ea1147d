"""A real scheduler and two workers on loopback; both are killed in the middle."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import fake_work
import pytest
from machines import Machines

from patchloom.batch.cluster import Cluster
from patchloom.batch.folders import open_folder
from patchloom.batch.journal import Journal
from patchloom.batch.run import Run
from patchloom.batch.work import Recipe
from patchloom.errors import InputError
from patchloom.events import CaseDone, Event

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds the scheduler's process through /proc"),
    pytest.mark.filterwarnings("default"),  # those of distributed's own threads at the loss of a connection
]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Machines(tmp_path_factory.mktemp("machines")) as running:
        yield running


def run_on(machines: Machines, batch: Any, existing: Any = "refuse", observe: Any = lambda event: None) -> Any:
    """The fake batch on the cluster."""

    def listen(event: Event) -> None:
        batch.events.append(event)
        observe(event)

    work = fake_work.reverse(batch.photos, batch.masks, batch.results, Recipe(), batch.digest)
    tasks = batch.tasks(existing)
    with Journal(batch.journal) as journal, Cluster(work, machines.address, patience=60) as cluster:
        return Run(cluster, journal, of=len(tasks), header={}, observe=listen)(tasks)


def test_a_killed_worker_and_a_restarted_scheduler_lose_nothing(
    machines: Machines, fake_batch: Any, tmp_path: Path
) -> None:
    words = {f"p{number:02}.jpg": "good" for number in range(24)}
    batch = fake_batch(words | {"p03.jpg": "broken", "p05.jpg": "mute"})

    def misfortune(event: Event) -> None:
        if isinstance(event, CaseDone) and event.done == 8:
            os.kill(int(fake_work.executions(batch.results)[-1][2]), signal.SIGKILL)
        if isinstance(event, CaseDone) and event.done == 14:
            machines.restart_scheduler()

    summary = run_on(machines, batch, observe=misfortune)
    assert (summary.counts["done"], summary.counts["failed"]) == (23, 1)
    assert list(batch.failures()) == ["p03.jpg"]
    assert sorted(batch.done_records()) == sorted(set(words) - {"p03.jpg"})
    for name in set(words) - {"p03.jpg"}:
        assert (batch.results / name).read_bytes() == (batch.photos / name).read_bytes()[::-1]
    assert Counter(batch.filled())["p05.jpg"] == 1  # written before its worker died: recognised
    summary = run_on(machines, batch, "resume")
    assert (summary.counts["kept"], summary.counts["failed"]) == (23, 1)


def test_a_deadly_picture_is_reported_and_the_others_are_done(machines: Machines, fake_batch: Any) -> None:
    batch = fake_batch({f"p{number:02}.jpg": "good" for number in range(5)} | {"p02.jpg": "deadly"})
    summary = run_on(machines, batch)
    assert list(batch.failures()) == ["p02.jpg"]
    assert summary.counts["done"] == 4


def test_folders_on_a_store_read_and_write_through_fsspec() -> None:
    pytest.importorskip("fsspec")
    store = open_folder("memory://bucket/scans")
    store.write("a/x.png", b"123")
    store.write(".hidden", b"")
    assert [(found.name, found.size) for found in store.files(recursive=True)] == [("a/x.png", 3)]
    assert list(store.files(recursive=False)) == []
    assert store.read("a/x.png") == b"123"
    assert store.find("b.png") is None
    with pytest.raises(InputError):
        store.read("b.png")
