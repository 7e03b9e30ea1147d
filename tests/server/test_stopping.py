"""What was accepted is not lost: over the end of a server, a crash, a full disk; and whoever waits is told."""

import json
import logging
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_server import Live, mask_png, photo_png
from test_jobs import Jobs, Limits, finish, marked, wait

from patchloom.server import journal
from patchloom.server.job import Job
from patchloom.server.storage import LEAST_ROOM, Storage

Serve = Callable[..., Live]
FILES = {"image": ("x.png", photo_png()), "mask": ("m.png", mask_png())}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Jobs]]:
    """Starts queues on one folder, one after the other; the last one is closed."""
    opened: list[Jobs] = []

    def begin() -> Jobs:
        jobs = Jobs(Limits(), Storage(tmp_path, journal.FILE), "fake_engines:Actor", {})
        jobs.open()
        opened.append(jobs)
        return jobs

    yield begin
    opened[-1].close()


def submit(jobs: Jobs, word: str = "", durable: bool = True) -> Job:
    name, folder = jobs.new_folder()
    (folder / "image").write_bytes(marked(word))
    return jobs.submit(name, folder, "fill", {"settings": {}}, durable=durable)


def running(job: Job) -> bool:
    return any(event.name == "level_started" for event in job.events)


def test_accepted_jobs_go_on_with_the_next_server(start: Callable[[], Jobs], tmp_path: Path) -> None:
    first = start()
    done, failed = finish(submit(first)), finish(submit(first, "bug"))
    under_way, waiting, passing = submit(first, "wait"), submit(first), submit(first, durable=False)
    wait(lambda: running(under_way))
    numbers = under_way.events[-1].number
    first.close()
    assert not list(tmp_path.glob("*/worker")) and not list(tmp_path.glob(f"*/{passing.id}"))

    (server,) = tmp_path.glob("server-*")
    (server / under_way.id / "image").write_bytes(marked(""))  # so that it ends
    second = start()
    assert not server.exists()
    for before in (done, failed):
        after = second.get(before.id)
        assert (after.status, after.result, after.error) == (before.status, before.result, before.error)
    assert (second.get(done.id).folder / "result").read_bytes() == marked("")
    again = finish(second.get(under_way.id))
    assert again.status == "done" and again.events[0].number > numbers
    assert finish(second.get(waiting.id)).status == "done"
    assert again.finished < second.get(waiting.id).finished, "they keep their order"
    assert passing.id not in second.jobs
    second.cancel(second.get(done.id))
    second.close()
    assert done.id not in start().jobs, "what was deleted stays deleted"


def test_a_job_that_ends_its_servers_is_given_up(start: Callable[[], Jobs], tmp_path: Path) -> None:
    """A server that is killed leaves its record of a job as it was: running."""
    jobs = start()
    job = submit(jobs, "wait")
    wait(lambda: running(job))
    (record,) = tmp_path.glob(f"*/*/{journal.FILE}")
    for crash in (1, 2, 3):
        left = tmp_path / "left"
        shutil.copytree(record.parent, left / job.id)
        jobs.cancel(job)
        jobs.close()
        left.rename(tmp_path / "server-killed")
        jobs = start()
        job = jobs.get(job.id)
        if crash < 3:
            wait(lambda job=job: running(job))  # type: ignore[misc]
            record = job.folder / journal.FILE
    assert job.error is not None and (job.status, job.error["code"]) == ("failed", "worker_crashed")


def test_records_that_cannot_be_read_are_passed_over(start: Callable[[], Jobs], tmp_path: Path) -> None:
    for number, text in enumerate(("", "[]", "{}", '{"id": 3')):
        folder = tmp_path / f"server-{number}" / f"job-{number}"
        folder.mkdir(parents=True)
        (folder / journal.FILE).write_text(text)
    assert start().jobs == {}


def test_jobs_wait_while_the_disk_is_full(start: Callable[[], Jobs], monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = start()
    wait(lambda: jobs.ready)
    room = LEAST_ROOM - 1
    monkeypatch.setattr(Storage, "room", lambda self: room)
    job = submit(jobs)
    time.sleep(0.3)
    assert job.status == "queued"
    room = LEAST_ROOM
    assert finish(job).status == "done"
    late = submit(jobs, "full")  # full only when its result is written
    assert finish(late).status == "done"
    assert [event.name for event in late.events].count("queued") == 2
    assert (finish(submit(jobs, "full", durable=False)).error or {})["code"] == "no_space"


def test_a_full_disk_refuses_uploads_before_they_are_read(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    while server.client.get("/api/ready").status_code != 200:
        time.sleep(0.05)
    with monkeypatch.context() as patched:
        patched.setattr(Storage, "room", lambda self: LEAST_ROOM - 1)
        assert server.client.get("/api/ready").status_code == 503
        for path in ("/api/jobs", "/inpaint", "/api/v1/inpaint", "/api/display", "/api/recognise"):
            answer = server.client.post(path, content=iter([b"x"]))
            assert answer.status_code == 507 and "retry-after" in answer.headers, path
        assert server.client.post("/api/jobs").json()["code"] == "no_space"
        assert server.client.get("/api/config").status_code == 200
        patched.setattr(Storage, "room", lambda self: LEAST_ROOM + 1000)
        assert server.client.post("/api/jobs", content=b"x" * 1000).status_code == 507, "its size is asked for"
    assert server.client.get("/api/ready").status_code == 200
    assert server.send().status_code == 202


def test_a_disk_that_fills_during_an_upload(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    server = serve()
    monkeypatch.setattr("patchloom.server.uploads.write_private", full)
    answer = server.send()
    assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    monkeypatch.undo()
    monkeypatch.setattr("patchloom.server.journal.write", full)
    assert server.send().status_code == 507, "what cannot be recorded is not accepted"
    assert not caplog.records


def test_whoever_waits_is_told_that_the_server_stops(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve()
    job = server.send("wait").json()["id"]
    answers: list[Any] = []

    def ask() -> None:
        files = {**FILES, "image": ("x.png", marked("wait"))}
        answers.append(server.client.post("/inpaint", files=files))

    asking = threading.Thread(target=ask)
    asking.start()
    while server.client.get("/api/health").json()["waiting"] == 0:
        time.sleep(0.02)
    with server.client.stream("GET", f"/api/jobs/{job}/events") as stream:
        lines = stream.iter_lines()
        assert next(lines)
        server.server.should_exit = True
        told = list(lines)
    asking.join(10)
    server.stop()
    assert told[-3:-1] == ["event: server_stopping", 'data: {"kept": true}']
    assert (answers[0].status_code, answers[0].headers["retry-after"]) == (503, "10")
    again = serve()
    assert again.client.get(f"/api/jobs/{job}").json()["status"] in ("queued", "running")
    again.client.delete(f"/api/jobs/{job}")
    assert "Traceback" not in caplog.text


def test_a_key_is_known_after_a_restart(serve: Serve) -> None:
    server = serve()
    sent = server.send("wait", headers={"Idempotency-Key": "one"}).json()["id"]
    server.stop()
    again = serve()
    assert again.send("wait", headers={"Idempotency-Key": "one"}).json()["id"] == sent
    assert again.send("", headers={"Idempotency-Key": "one"}).status_code == 409
    again.client.delete(f"/api/jobs/{sent}")


def test_an_upload_that_is_broken_off_is_no_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve()
    for path, kind in {
        "/api/jobs": "multipart/form-data; boundary=x",
        "/api/v1/inpaint": "application/json",
    }.items():
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 9999\r\n\r\n"
            )
            connection.sendall(head.encode() + b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n')
            time.sleep(0.2)
    time.sleep(0.3)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_head_is_get_without_the_body(serve: Serve) -> None:
    server = serve()
    job = server.send().json()["id"]
    server.finish(job)
    endless = server.send("wait").json()["id"]
    paths = [
        path for path, methods in server.client.get("/openapi.json").json()["paths"].items() if "get" in methods
    ]
    for path in [*paths, "/", "/docs", "/static/style.css", "/nowhere"]:
        path = path.format(name=job, number=1)
        got, head = server.client.get(path), server.client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("content-type") == got.headers.get("content-type"), path
    assert (
        server.client.head(f"/api/jobs/{endless}/events").headers["content-type"].startswith("text/event-stream")
    )
    assert json.loads(server.client.delete(f"/api/jobs/{endless}").content)["status"] == "cancelled"
