"""Behind nginx, with the lines that docs/server.md gives."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from live_server import Live, marked, mask_png

from patchloom.server import listener
from patchloom.server.limits import Limits
from patchloom.server.security import Access

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PAGE = Path(__file__).parents[2] / "docs" / "server.md"
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {lines} }}
}}
"""


def lines() -> str:
    (found,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


@pytest.fixture
def proxied(serve: Callable[..., Live], tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of nginx before a server with the flags that the page gives."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    access = Access(
        allowed_hosts=("photos.example.org",), trusted_proxies=("127.0.0.1",), root_path="/tools/patchloom"
    )
    server = serve(access=access)
    (probe,) = listener.open_sockets("127.0.0.1", 0)
    port = probe.getsockname()[1]
    probe.close()
    config = tmp_path / "nginx.conf"
    text = lines().replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
    config.write_text(CONFIG.format(folder=tmp_path, port=port, lines=text))
    nginx = subprocess.Popen([NGINX, "-p", str(tmp_path), "-e", f"{tmp_path}/error.log", "-c", str(config)])
    try:
        headers = {"Host": "photos.example.org"}
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/tools/patchloom", headers=headers, timeout=20
        ) as client:
            for _ in range(100):
                try:
                    client.get("/api/health")
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            yield client
    finally:
        nginx.terminate()
        nginx.wait(10)


def test_a_fill_goes_through(proxied: httpx.Client) -> None:
    files = {"image": ("x.png", marked("")), "mask": ("m.png", mask_png())}
    assert proxied.get("/").text.startswith("<!")
    assert proxied.post("/inpaint", files=files).status_code == 200
    large = {**files, "image": ("x.png", marked("x" * (2 << 20)))}  # nginx's own limit is a megabyte
    sent = proxied.post("/api/jobs", files=large)
    assert sent.status_code == 202
    links = sent.json()["links"]
    assert links["self"].startswith("/tools/patchloom/api/jobs/")
    assert (
        proxied.post("/api/jobs", files=files, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    )


def test_events_come_as_they_happen(proxied: httpx.Client) -> None:
    files = {"image": ("x.png", marked("wait")), "mask": ("m.png", mask_png())}
    job = proxied.post("/api/jobs", files=files).json()["id"]
    with proxied.stream("GET", f"/api/jobs/{job}/events") as stream:
        assert any("step" in line for line in stream.iter_lines()), "long before the job is over"
    assert proxied.delete(f"/api/jobs/{job}").json()["status"] == "cancelled"


def test_the_proxy_waits_longer_than_a_job_may_take_and_takes_what_the_server_takes() -> None:
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", lines())
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", lines())
    assert int(seconds) > Limits().job_seconds
    assert int(megabytes) >= Limits().max_request_mb
