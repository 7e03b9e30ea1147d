"""What clients send by mistake or on purpose: strange numbers, the same again, guesses, and slow uploads."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from live_server import Live, mask_png, photo_png

from patchloom.server.asgi import whole_number
from patchloom.server.limits import Limits
from patchloom.server.problems import FIELDS, Problem, for_clients
from patchloom.server.security import Access
from patchloom.server.tokens import GUESS_SECONDS, GUESSES, Wrong
from patchloom.settings import FileSettings

Serve = Callable[..., Live]


def raw(server: Live, request: bytes) -> bytes:
    """The answer's first line to a request as it stands."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536).split(b"\r\n")[0]


@pytest.mark.parametrize("text", ["\xb2", "-1", "1e3", "+5", "٣", "", "9" * 30, "9" * 5000])
def test_only_plain_numbers_are_numbers(text: str) -> None:
    assert whole_number(text, 10**9) is None
    assert whole_number("007", 10**9) == 7


def test_an_upload_that_is_broken_off_is_no_error_of_ours(fake: Live, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with socket.create_connection(("127.0.0.1", fake.port), timeout=10) as connection:
        connection.sendall(head + b"Content-Length: 100000\r\n\r\n--x\r\n")
        time.sleep(0.3)
    time.sleep(0.3)
    assert fake.client.get("/api/health").json()["status"] == "ok"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_strange_last_event_ids_cost_no_stream(serve: Serve) -> None:
    server = serve(limits=Limits(max_streams=2))
    job = server.send().json()["id"]
    server.finish(job)
    for value in (b"\xb2", b"x", b"-1", b"9" * 30, b"9" * 5000) * 2:
        head = f"GET /api/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nLast-Event-ID: "
        assert b" 200 " in raw(server, head.encode() + value + b"\r\n\r\n"), value


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "9" * 300, "x"])
def test_strange_previews_are_not_there(fake: Live, number: str) -> None:
    job = fake.send().json()["id"]
    fake.finish(job)
    assert fake.client.get(f"/api/jobs/{job}/preview/{number}").status_code in (404, 422)


def test_the_same_key_with_another_body_is_a_conflict(fake: Live) -> None:
    headers = {"Idempotency-Key": f"key {time.monotonic_ns()}"}
    first = fake.send("one", headers=headers)
    assert fake.send("one", headers=headers).json()["id"] == first.json()["id"]
    other = fake.send("two", headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "key_used")
    assert fake.send("one", headers={"Idempotency-Key": "k" * 500}).status_code == 422


def test_two_requests_with_one_key_at_the_same_time_start_one_job(fake: Live) -> None:
    headers, ids = {"Idempotency-Key": f"race {time.monotonic_ns()}"}, []
    senders = [
        threading.Thread(target=lambda: ids.append(fake.send(headers=headers).json()["id"])) for _ in range(6)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(ids) == 6 and len(set(ids)) == 1


def test_a_slow_upload_takes_no_place_in_the_queue(serve: Serve) -> None:
    server = serve(limits=Limits(max_queue=1))
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(head)
        time.sleep(0.3)
        assert server.send().status_code == 202


def test_wrong_tokens_are_counted_by_address() -> None:
    now = [0.0]
    wrong = Wrong(lambda: now[0])
    for _ in range(GUESSES):
        wrong.refuse("a")
        wrong.count("a")
    with pytest.raises(Problem) as caught:
        wrong.refuse("a")
    assert caught.value.status == 429 and int(caught.value.headers["Retry-After"]) <= GUESS_SECONDS + 1
    wrong.refuse("b")
    now[0] = GUESS_SECONDS + 1
    wrong.refuse("a")


def test_who_guesses_is_made_to_wait_and_who_has_the_cookie_is_not(serve: Serve) -> None:
    server = serve(access=Access(token="right"))
    cookie = server.client.get("/?token=right").headers["set-cookie"].partition(";")[0]
    answers = [
        server.client.get("/api/config", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(GUESSES + 2)
    ]
    assert answers == [401] * GUESSES + [429] * 2
    assert server.client.get("/api/config", headers={"Authorization": "Bearer right"}).status_code == 429
    assert server.client.get("/api/config", headers={"Cookie": cookie}).status_code == 200


def test_a_path_cannot_forge_a_line_of_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(access_log="text")
    with caplog.at_level(logging.INFO, "patchloom.access"):
        answer = server.client.get("/api/jobs/%0aFORGED")
        server.stop()  # an answer is logged after it is sent
    assert "FORGED" in caplog.text
    assert not any(line.startswith("FORGED") for line in caplog.text.splitlines())
    assert answer.json()["request_id"] in caplog.text


@pytest.mark.parametrize(
    ("hint", "heard"),
    [
        ("Add {allow_cmyk} to have it turned into RGB, or convert it in your editor.",
         "Add allow_cmyk to have it turned into RGB, or convert it in your editor."),
        ("Fill the hole in smaller pieces.\nOr allow more with {max_memory}.", "Fill the hole in smaller pieces."),
        ("Give a mask.\nOr boxes: {box x,y,w,h}.", "Give a mask."),
        ("Use {device cpu}.", ""),
        ("Leave out {mask_mode alpha}, or use another.", "Leave out mask_mode alpha, or use another."),
        ("Crop it to the part that matters.", "Crop it to the part that matters."),
        ("", ""),
    ],
)  # fmt: skip
def test_hints_name_what_a_client_can_send(hint: str, heard: str) -> None:
    assert for_clients(hint) == heard
    assert {item.name for item in fields(FileSettings)} <= FIELDS


def test_an_error_of_a_job_names_no_flag(real: Live) -> None:
    files = {"image": photo_png(), "mask": mask_png()}
    job = real.client.post("/api/jobs", files=files, data={"mask_mode": "alpha"}).json()["id"]
    error: dict[str, Any] = real.finish(job)["error"]
    assert error["code"] == "bad_mask" and "mask_mode alpha" in error["hint"]
    assert "--" not in json.dumps(error)
