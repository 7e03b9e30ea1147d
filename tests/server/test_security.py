"""Who is let in and how much they may send: one test for each rule of the server's safety."""

import asyncio
import contextlib
import http.client
import json
import logging
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from live_server import Live, marked, mask_png, photo_png

from patchloom.server.app import STATIC
from patchloom.server.body import BodyLimit
from patchloom.server.limits import Limits
from patchloom.server.security import HEADERS, Access
from patchloom.server.storage import LOCK

Serve = Callable[..., Live]


def listening(process: subprocess.Popen[str]) -> set[str]:
    return {
        connection.laddr.ip
        for connection in psutil.Process(process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def started(arguments: list[str], folder: Path) -> tuple[subprocess.Popen[str], str]:
    """`patchloom serve` as a user starts it, and the first line that names an address."""
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0", "--folder", str(folder), *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "http://" in line)
    return process, line


def stop(process: subprocess.Popen[str]) -> str:
    process.terminate()
    _, rest = process.communicate(timeout=20)
    return rest


def test_a_fresh_server_listens_on_loopback_only(tmp_path: Path) -> None:
    process, line = started([], tmp_path)
    try:
        assert listening(process) <= {"127.0.0.1", "::1"}
        assert "token" not in line
        assert httpx.get(re.findall(r"http://\S+", line)[0]).status_code == 200
    finally:
        stop(process)


def test_elsewhere_a_token_is_made_up_and_asked_for_and_not_logged(tmp_path: Path) -> None:
    process, line = started(["--host", "0.0.0.0", "--verbose"], tmp_path)
    try:
        port, token = re.findall(r":(\d+)/\?token=(\S+)", line)[0]
        assert len(token) >= 32
        address = f"http://127.0.0.1:{port}/api/config"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/?token={token}").status_code == 303
    finally:
        log = stop(process)
    assert '"GET /" 303' in log
    assert "leaked" not in log
    assert token not in log


def test_a_browser_trades_the_token_for_a_cookie(serve: Serve) -> None:
    server = serve(access=Access(token="s3cret-token"))
    assert server.client.get("/").status_code == 401
    assert "<form" in server.client.get("/").text
    assert server.client.get("/?token=wrong").status_code == 401
    welcome = server.client.get("/?token=s3cret-token")
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "s3cret" not in cookie
    assert server.client.get("/").status_code == 200  # the client kept the cookie
    assert server.client.get("/api/config").status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/api/health", "/static/js/main.js", "/nothing"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "10.0.0.7"])
def test_a_foreign_host_is_refused_before_anything_else(fake: Live, path: str, host: str) -> None:
    assert fake.client.get(path, headers={"Host": host}).status_code == 400


def test_further_hosts_can_be_allowed(serve: Serve) -> None:
    server = serve(access=Access(allowed_hosts=("photos.example",)))
    assert server.client.get("/api/health", headers={"Host": "photos.example:8080"}).status_code == 200
    assert server.client.get("/api/health", headers={"Host": "other.example"}).status_code == 400


def test_writes_from_another_site_are_refused(fake: Live) -> None:
    own = f"http://127.0.0.1:{fake.port}"
    for headers, status in [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": f"http://127.0.0.1:{fake.port + 1}"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 202),
        ({}, 202),
    ]:
        assert fake.send(headers=headers).status_code == status, headers


def test_other_sites_get_no_cors_permission(fake: Live) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = fake.client.options("/api/jobs", headers=asked)
    simple = fake.client.get("/api/config", headers={"Origin": "http://evil.example"})
    for response in (answer, simple):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_declared_giant_is_refused_without_reading(fake: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=5)
    connection.putrequest("POST", "/api/jobs")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, json.load(response)["code"]) == (413, "too_large")
    connection.close()


def test_an_undeclared_giant_is_read_up_to_the_cap_only() -> None:
    cap, chunk, read, answers = 1 << 20, 1 << 16, 0, []

    async def receive() -> MutableMapping[str, Any]:
        nonlocal read
        read += chunk
        return {"type": "http.request", "body": b"x" * chunk, "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    with ThreadPoolExecutor(1) as elsewhere:  # the tests in a browser keep an event loop running in this thread
        elsewhere.submit(lambda: asyncio.run(BodyLimit(application, cap, 30)(scope, receive, send))).result()
    assert answers[0]["status"] == 413
    assert read <= cap + 65536


def test_an_undeclared_giant_leaves_nothing_on_the_disk(serve: Serve, tmp_path: Path) -> None:
    server = serve(limits=Limits(max_request_mb=1))
    boundary = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'

    def body() -> Any:
        yield boundary
        for _ in range(40):
            yield b"x" * 65536

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with contextlib.suppress(httpx.WriteError):  # closed while we were still sending, which is the point
        assert server.client.post("/api/jobs", content=body(), headers=headers).status_code == 413
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != LOCK]
    assert server.send().status_code == 202


def test_a_refusal_can_be_read_by_a_client_that_sends_its_whole_body_first(serve: Serve) -> None:
    server = serve(access=Access(token="s3cret"))
    files = {"image": ("x.png", b"x" * (8 << 20)), "mask": ("m.png", mask_png())}
    assert server.client.post("/api/jobs", files=files).status_code == 401


def slow(port: int, sent: bytes, pause: float, seconds: float) -> float:
    """Sends ``sent``, then a byte every ``pause``; returns after how long the server closed the connection."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=pause) as connection:
        connection.sendall(sent)
        while time.monotonic() - began < seconds:
            try:
                if connection.recv(4096) == b"":
                    break
            except TimeoutError:
                connection.sendall(b"x")
            except ConnectionError:
                break
    return time.monotonic() - began


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-", b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\n"
     b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n"],
    ids=["silent", "slow head", "slow body"],
)  # fmt: skip
def test_slow_clients_are_closed_while_others_are_served(serve: Serve, sent: bytes) -> None:
    server = serve(limits=Limits(patience_seconds=1.0))
    assert 0.5 < slow(server.port, sent, 0.2 if sent else 60, 60) < 60
    assert server.client.get("/api/health").status_code == 200


def test_security_headers_are_on_every_answer(fake: Live) -> None:
    for path in ("/", "/docs", "/api/config", "/static/style.css", "/nothing", "/api/jobs/unknown"):
        answer = fake.client.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert len(answer.headers["x-request-id"]) == 16
    assert fake.client.get("/", headers={"Host": "evil.example"}).headers["x-content-type-options"] == "nosniff"


def test_pages_have_no_inline_script_or_style_and_name_no_other_machine() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix not in (".html", ".js", ".css", ".svg", ".webmanifest"):
            continue
        text = path.read_text()
        outside = [
            url for url in re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text) if "www.w3.org" not in url
        ]
        assert not outside, path
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=|javascript:", text), path


def test_an_error_of_ours_says_nothing_but_its_number(fake: Live, caplog: pytest.LogCaptureFixture) -> None:
    job = fake.finish(fake.send("bug").json()["id"])
    assert job["error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(job) and "Traceback" not in json.dumps(job)

    from patchloom.server import routes

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(routes, "described", lambda *_: 1 / 0)
        answer = fake.client.get(f"/api/jobs/{job['id']}")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_no_answer_names_a_path_and_no_name_from_a_client_is_used(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    names = ["../../evil.png", "/etc/passwd", "..\\..\\evil", "\x00", "a" * 300]
    before = set(tmp_path.rglob("*evil*"))
    for name in names:
        files = {"image": (name, marked("")), "mask": (name, mask_png())}
        answer = server.client.post("/api/jobs", files=files)
        assert answer.status_code == 202
        job = server.finish(answer.json()["id"])
        assert str(tmp_path) not in json.dumps(job)
        disposition = server.client.get(f"/api/jobs/{job['id']}/result").headers["content-disposition"]
        assert re.fullmatch(r'attachment; filename="patchloom-[0-9a-f]{8}\.png"', disposition)
    assert set(tmp_path.rglob("*evil*")) == before


def test_unknown_ids_are_404_in_every_route(fake: Live) -> None:
    for path in ("", "/events", "/preview", "/preview/1", "/result"):
        assert fake.client.get(f"/api/jobs/{'0' * 32}{path}").status_code == 404
    assert fake.client.delete(f"/api/jobs/{'0' * 32}").status_code == 404


def test_streams_are_capped_and_end_with_the_job(serve: Serve) -> None:
    server = serve(limits=Limits(max_streams=2))
    job = server.send("wait").json()["id"]
    path = f"/api/jobs/{job}/events"
    with server.client.stream("GET", path) as first, server.client.stream("GET", path) as second:
        assert (first.status_code, second.status_code) == (200, 200)
        third = server.client.get(path)
        assert (third.status_code, "retry-after" in third.headers) == (429, True)
        server.client.delete(f"/api/jobs/{job}")
        assert "event: cancelled" in list(first.iter_lines())
    assert "event: cancelled" in server.client.get(path).text


def test_closing_a_stream_leaves_the_job_running(serve: Serve) -> None:
    server = serve(limits=Limits(max_streams=1))
    job = server.send("wait").json()["id"]
    for _ in range(3):  # and its place is free again
        with server.client.stream("GET", f"/api/jobs/{job}/events") as stream:
            next(stream.iter_lines())
        time.sleep(0.1)
    assert server.client.get(f"/api/jobs/{job}").json()["status"] == "running"
    server.client.delete(f"/api/jobs/{job}")


def test_the_server_answers_while_a_decoder_dies(fake: Live) -> None:
    job = fake.send("crash").json()["id"]
    assert fake.client.get("/api/health").json()["status"] == "ok"
    assert fake.finish(job)["error"]["code"] == "worker_crashed"


@pytest.mark.parametrize("stripped", [True, False], ids=["proxy strips", "proxy passes on"])
def test_everything_works_under_a_sub_path(serve: Serve, stripped: bool) -> None:
    server = serve(access=Access(root_path="/tools/patchloom", trusted_proxies=("127.0.0.1",)))
    prefix = "" if stripped else "/tools/patchloom"
    headers = {"X-Forwarded-Host": "localhost", "X-Forwarded-Proto": "https"}
    page = server.client.get(f"{prefix}/", headers=headers)
    assert page.status_code == 200
    for link in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert not link.startswith("/"), "links are relative, so that the sub-path stays"
    assert server.client.get("/tools/patchloom", headers=headers).headers["location"] == "/tools/patchloom/"
    for path in ("/docs", "/openapi.json", "/static/style.css", "/api/config"):
        assert server.client.get(prefix + path, headers=headers).status_code == 200
    files = {"image": ("x.png", photo_png()), "mask": ("m.png", mask_png())}
    job = server.client.post(f"{prefix}/api/jobs", files=files, headers=headers)
    assert job.headers["location"] == f"/tools/patchloom/api/jobs/{job.json()['id']}"


def test_forwarded_headers_of_strangers_are_not_believed(serve: Serve) -> None:
    trusting = serve(access=Access(token="t0ken", trusted_proxies=("127.0.0.1",)))
    doubting = serve(access=Access(token="t0ken"))
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert trusting.client.get("/?token=t0ken", headers=forwarded).status_code == 400
    answer = doubting.client.get("/?token=t0ken", headers=forwarded)
    assert answer.status_code == 303
    assert "Secure" not in answer.headers["set-cookie"]
    secure = trusting.client.get("/?token=t0ken", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in secure.headers["set-cookie"]


def test_other_machines_are_out_of_reach_of_these_tests() -> None:
    with pytest.raises(PermissionError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.org", 80)
