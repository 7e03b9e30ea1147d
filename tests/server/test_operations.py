"""What operators see: readiness, metrics, the access log, shares of the queue; and pages of other sites let in."""

import json
import logging
import re
import time
from collections.abc import Callable

import httpx
import pytest
from live_server import Live, hole, mask_png, photo, photo_png, pixels
from prometheus_client.parser import text_string_to_metric_families

from patchloom.server.limits import Limits
from patchloom.server.security import Access

Serve = Callable[..., Live]
SITE = "https://photos.example"


def until_ready(server: Live) -> None:
    deadline = time.monotonic() + 30
    while server.client.get("/api/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def figures(server: Live) -> dict[str, float]:
    """Sample (name and labels) -> value."""
    text = server.client.get("/metrics").text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {sample.name + "".join(map(str, sample.labels.values())): sample.value for sample in samples}


def test_ready_needs_a_worker_and_a_place_while_health_does_not(serve: Serve) -> None:
    server = serve(limits=Limits(max_queue=1))
    assert server.client.get("/api/health").status_code == 200
    until_ready(server)
    running = server.send("wait").json()["id"]
    while server.client.get(f"/api/jobs/{running}").json()["status"] == "queued":
        time.sleep(0.02)
    assert server.client.get("/api/ready").status_code == 200
    server.send("wait")
    refused = server.client.get("/api/ready")
    assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
    assert "retry-after" in refused.headers
    assert server.client.get("/api/health").status_code == 200


def test_a_worker_that_cannot_start_is_not_ready(serve: Serve) -> None:
    server = serve("fake_engines:Stillborn")
    assert server.client.get("/api/ready").status_code == 503
    assert server.client.get("/api/health").status_code == 200


def test_metrics_count_what_happened(serve: Serve) -> None:
    server = serve()
    until_ready(server)
    before = figures(server)
    assert (before["patchloom_ready"], before["patchloom_jobs_totaldone"]) == (1, 0)
    for word in ("", "", "bug"):
        server.finish(server.send(word).json()["id"])
    after = figures(server)
    assert (after["patchloom_jobs_totaldone"], after["patchloom_jobs_totalfailed"]) == (2, 1)
    assert after["patchloom_job_seconds_count"] == after["patchloom_job_seconds_bucket+Inf"] == 2
    assert 0 < after["patchloom_job_seconds_sum"] < 60
    assert (after["patchloom_jobs_waiting"], after["patchloom_queue_places"]) == (0, 16)


def test_metrics_ask_for_the_token_and_signs_of_life_do_not(serve: Serve) -> None:
    server = serve(access=Access(token="secret"))
    assert server.client.get("/metrics").status_code == 401
    assert server.client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert server.client.get("/api/health").status_code == 200
    assert server.client.get("/api/ready").status_code in (200, 503)


def test_the_log_has_a_json_object_for_every_request(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="patchloom.access"):
        server = serve(access_log="json")
        sent = server.send()
        job = sent.json()["id"]
        server.finish(job)
        server.client.get("/api/nowhere?token=secret")
        server.stop()  # an answer is logged after it is sent
    lines = [json.loads(record.message) for record in caplog.records if record.name == "patchloom.access"]
    posted = next(line for line in lines if line["method"] == "POST")
    assert (posted["path"], posted["status"], posted["job"]) == ("/api/jobs", 202, job)
    assert posted["request"] == sent.headers["x-request-id"]
    assert posted["bytes"] == len(sent.content) and posted["seconds"] > 0 and posted["client"] == "127.0.0.1"
    assert {line["job"] for line in lines if "events" in line["path"]} == {job}
    assert [line["status"] for line in lines if line["path"] == "/api/nowhere"] == [404]
    assert "secret" not in caplog.text


def test_the_log_has_a_line_of_text(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="patchloom.access"):
        server = serve(access_log="text")
        server.client.get("/api/health")
        server.stop()
    line = next(record.message for record in caplog.records if "/api/health" in record.message)
    assert re.fullmatch(r'127\.0\.0\.1 "GET /api/health" 200 \d+ \d+ms request=[0-9a-f]{16}', line)


def test_a_client_has_its_share_of_the_queue_and_others_theirs(serve: Serve) -> None:
    limits, access = Limits(max_queue=4, max_queue_per_client=1), Access(trusted_proxies=("127.0.0.1",))
    server = serve(limits=limits, access=access)
    until_ready(server)

    def send(client: str) -> httpx.Response:
        return server.send("wait", headers={"X-Forwarded-For": f"203.0.113.99, {client}"})

    running = send("198.51.100.1").json()["id"]
    while server.client.get(f"/api/jobs/{running}").json()["status"] == "queued":
        time.sleep(0.02)
    assert send("198.51.100.1").status_code == 202  # waits
    refused = send("198.51.100.1")
    assert (refused.status_code, refused.json()["code"]) == (429, "share_full")
    assert send("198.51.100.2").status_code == 202


def test_a_site_that_is_allowed_may_call_and_read(serve: Serve) -> None:
    server = serve(access=Access(allowed_origins=(SITE,), token="secret"))
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = server.client.options("/api/jobs", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, SITE)
    call = {"Origin": SITE, "Sec-Fetch-Site": "cross-site", "Authorization": "Bearer secret"}
    sent = server.send(headers=call)
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (202, SITE)
    assert "cross-origin-resource-policy" not in sent.headers
    other = server.send(headers=call | {"Origin": "https://other.example"})
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers


def test_the_form_of_lama_cleaner_s_clients_is_understood(serve: Serve, real: Live) -> None:
    files = {"image": ("photo.png", photo_png()), "mask": ("mask.png", mask_png())}
    fields = {"ldmSteps": "25", "hdStrategy": "Original", "prompt": "", "sdSeed": "42", "sizeLimit": "1080"}
    answer = real.client.post("/inpaint", files=files, data=fields, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    marked = hole() > 0
    assert (pixels(answer)[~marked] == photo()[~marked]).all()
    assert (pixels(answer)[marked] != photo()[marked]).any()
    other = real.client.post("/inpaint", files=files, data={"sdSeed": "7"}, timeout=60)
    assert other.headers["x-seed"] == "7" and other.content != answer.content
    assert real.client.post("/inpaint", files=files, data={"sd_seed": "seven"}).status_code == 422
    missing = real.client.post("/inpaint", files={"image": ("photo.png", photo_png())})
    assert (missing.status_code, missing.json()["error"]) == (422, "Bad request")
    assert real.client.post("/inpaint", json={}).status_code == 415


@pytest.mark.slow
def test_iopaint_s_clients_get_the_preset_that_the_server_was_started_with(serve: Serve, real: Live) -> None:
    files = {"image": ("photo.png", photo_png()), "mask": ("mask.png", mask_png())}

    def asked_for(preset: str) -> bytes:
        settings = json.dumps({"preset": preset, "seed": 42})
        job = real.client.post("/api/jobs", files=files, data={"settings": settings}).json()["id"]
        assert real.finish(job, 60)["status"] == "done"
        return real.client.get(f"/api/jobs/{job}/result").content

    fast, balanced = asked_for("fast"), asked_for("balanced")
    assert fast != balanced
    server = serve("fake_engines:Offline", iopaint_preset="fast")
    assert server.client.post("/inpaint", files=files, timeout=60).content == fast
    assert real.client.post("/inpaint", files=files, timeout=60).content == balanced
