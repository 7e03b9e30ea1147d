"""The queue and the worker: whatever a job does, it ends with a clear state and the next one runs."""

import io
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_server import marked

from patchloom.server.jobs import Job, Jobs
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem
from patchloom.server.storage import Storage, write_private

Start = Callable[..., Jobs]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[Jobs] = []

    def begin(engine: str = "fake_engines:Actor", **limits: Any) -> Jobs:
        jobs = Jobs(Limits(**limits), Storage(tmp_path), engine, {})
        jobs.open()
        opened.append(jobs)
        return jobs

    yield begin
    for jobs in opened:
        jobs.close()
    assert not list(tmp_path.glob("server-*")), "a closed server leaves nothing behind"


def submit(jobs: Jobs, word: str = "") -> Job:
    jobs.reserve()
    name, folder = jobs.new_folder()
    (folder / "image").write_bytes(marked(word))
    job = jobs.submit(name, folder, "fill", {})
    jobs.release()
    return job


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


def finish(job: Job) -> Job:
    wait(lambda: job.over)
    return job


def test_a_job_runs_and_its_events_are_numbered_in_order(start: Start) -> None:
    job = finish(submit(start()))
    assert job.status == "done"
    assert [event.name for event in job.events] == ["queued", "started", "level_started", "level_done", "done"]
    assert [event.number for event in job.events] == [1, 2, 3, 4, 5]
    assert [event.name for event in job.after(3)] == ["level_done", "done"]


def test_progress_does_not_pile_up(start: Start) -> None:
    jobs = start()
    job = submit(jobs, "wait")
    wait(lambda: bool(job.events) and job.events[-1].number > 20)
    assert len(job.events) < 6
    jobs.cancel(job)


@pytest.mark.parametrize("word", ["wait", "stubborn"])
def test_cancel_frees_the_worker_even_of_a_fill_that_does_not_listen(start: Start, word: str) -> None:
    jobs = start()
    job = submit(jobs, word)
    wait(lambda: any(event.name == "level_started" for event in job.events))
    jobs.cancel(job)
    finish(job)
    assert job.status == "cancelled"
    jobs.cancel(job)
    assert job.status == "cancelled"
    assert finish(submit(jobs)).status == "done"


def test_cancelling_a_waiting_job_removes_its_files(start: Start) -> None:
    jobs = start()
    first, second = submit(jobs, "wait"), submit(jobs)
    jobs.cancel(second)
    assert second.status == "cancelled"
    assert not second.folder.exists()
    jobs.cancel(first)
    finish(first)
    assert [event.name for event in second.events] == ["queued", "cancelled"]


def test_a_job_over_its_time_fails_and_the_next_succeeds(start: Start) -> None:
    jobs = start(job_seconds=0.5)
    job = finish(submit(jobs, "stubborn"))
    assert (job.status, job.error and job.error["code"]) == ("failed", "time_limit")
    assert finish(submit(jobs)).status == "done"


def test_a_job_over_its_memory_fails_and_the_next_succeeds(start: Start) -> None:
    jobs = start(job_memory_mb=300)
    job = finish(submit(jobs, "eat"))
    assert (job.status, job.error and job.error["code"]) == ("failed", "memory_limit")
    assert finish(submit(jobs)).status == "done"


def test_a_killed_worker_fails_its_job_only(start: Start) -> None:
    jobs = start()
    job = submit(jobs, "wait")
    wait(lambda: any(event.name == "level_started" for event in job.events))
    killed = jobs.worker_pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    finish(job)
    assert (job.status, job.error and job.error["code"]) == ("failed", "worker_crashed")
    assert finish(submit(jobs)).status == "done"
    assert jobs.worker_pid != killed


def test_a_file_that_kills_the_decoder_fails_its_job_only(start: Start) -> None:
    jobs = start()
    assert (finish(submit(jobs, "crash")).error or {})["code"] == "worker_crashed"
    assert finish(submit(jobs)).status == "done"


def test_an_idle_worker_that_dies_is_replaced(start: Start) -> None:
    jobs = start()
    wait(lambda: jobs.ready)
    killed = jobs.worker_pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait(lambda: jobs.worker_pid not in (killed, None))
    assert finish(submit(jobs)).status == "done"


def test_a_worker_that_cannot_start_fails_the_job_and_is_not_started_over_and_over(start: Start) -> None:
    jobs = start(engine="fake_engines:Stillborn")
    assert (finish(submit(jobs)).error or {})["code"] == "worker_crashed"
    wait(lambda: jobs.worker_pid is None)
    time.sleep(1)
    assert jobs.worker_pid is None


def test_the_queue_is_bounded(start: Start) -> None:
    jobs = start(max_queue=2)
    running = submit(jobs, "wait")
    wait(lambda: running.status == "running")
    waiting = [submit(jobs), submit(jobs)]
    assert [jobs.position(job) for job in waiting] == [1, 2]
    with pytest.raises(Problem) as refused:
        jobs.reserve()
    assert refused.value.status == 429
    assert "Retry-After" in refused.value.headers
    jobs.cancel(running)
    assert all(finish(job).status == "done" for job in waiting)


def test_results_vanish_after_their_time(start: Start) -> None:
    jobs = start(keep_minutes=0.01)
    job = finish(submit(jobs))
    assert (job.folder / "result").exists()
    wait(lambda: job.status == "expired", 5)
    assert not job.folder.exists()


def test_the_oldest_results_go_when_the_disk_is_full(start: Start) -> None:
    jobs = start(max_disk_mb=1)
    word = "x" * 300_000
    kept = [finish(submit(jobs, word)) for _ in range(3)]
    wait(lambda: sum(job.status == "expired" for job in kept) >= 2)
    assert kept[-1].status == "done"


def test_files_are_private(start: Start, tmp_path: Path) -> None:
    jobs = start()
    job = finish(submit(jobs))
    write_private(job.folder / "mask", io.BytesIO(b"m"))
    for path in (jobs.storage.folder, job.folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("mask", "result", "preview-1"):
        assert stat.S_IMODE((job.folder / name).stat().st_mode) == 0o600


def test_a_new_server_removes_what_a_dead_one_left(tmp_path: Path) -> None:
    gone = tmp_path / "server-99999999-x"
    gone.mkdir()
    (gone / "result").write_bytes(b"x")
    alive = Storage(tmp_path)
    another = Storage(tmp_path)
    assert not gone.exists()
    assert alive.folder.exists() and another.folder.exists()


def test_ids_cannot_be_guessed(start: Start) -> None:
    names = {start().new_folder()[0] for _ in range(5)}
    assert len(names) == 5
    assert all(len(bytes.fromhex(name)) == 16 for name in names)
