"""Many clients on a server to which bad things happen: is anything lost that was accepted, is any result wrong?

    python benchmarks/soak.py --minutes 60 --clients 16

A server of its own on loopback, its folder on a disk of ``--disk-mb`` (a tmpfs; without the right to mount one
the disk is never full, which is said). Clients send small fills with an idempotency key and send them again when
they are refused or get no answer; they follow the job by asking or by its events, fetch the result, cancel now
and then, break uploads off, and call ``/inpaint``. Meanwhile, every ``--every`` seconds or so, the worker is
killed, the server is killed or told to stop and started again, or the disk is filled for a while.

Lost is an accepted job that a later server does not know, or that never ends; wrong is a result whose bytes are
not those that it says, or that another fill of the same input gave. Prints a JSON object of what was done; exit
code 1 if something was lost or wrong, a server answered 500, or there is a traceback in its log.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from server_load import hole, picture

INPUTS = 12  # different fills
PATIENCE = 180.0  # seconds from its acceptance on after which a job counts as lost; a server has as many to end
SETTINGS = json.dumps({"preset": "fast", "texture": "none"})


class Server:
    """The server on ``port``, started again whenever it has ended; its log is ``folder/server.log``."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.address = f"http://127.0.0.1:{port}"
        self.log = (folder / "server.log").open("ab")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        disk = self.folder / "disk"
        command = [sys.executable, "-m", "patchloom", "serve", "--port", str(self.port)]
        options = ["--folder", str(disk / "jobs"), "--keep-minutes", "2", "--max-streams", "64", "--threads", "1"]
        spool = disk / "spool"
        spool.mkdir(exist_ok=True)
        environment = os.environ | {"TMPDIR": str(spool)}
        return subprocess.Popen([*command, *options], stderr=self.log, env=environment)

    def end(self, how: int) -> None:
        """Sends the signal ``how``, waits for the end and starts the next one."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE)
        self.process = self._start()

    def kill_worker(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    return True
        return False

    def fill_disk(self, seconds: float) -> None:
        """Leaves no room for ``seconds``."""
        filler = self.folder / "disk" / "filler"
        try:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
            time.sleep(seconds)
        finally:
            filler.unlink(missing_ok=True)

    def memory_mb(self) -> float:
        """Of the server and its worker, once it is ready."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/api/ready").status_code == 200:
                    break
            time.sleep(0.5)
        root = psutil.Process(self.process.pid)
        return sum(each.memory_info().rss for each in [root, *root.children(recursive=True)]) / 2**20


class Account:
    """What was done, by all threads together."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.wrong: list[str] = []
        self.results: dict[str, str] = {}  # input -> sha256
        self._lock = threading.Lock()

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def result(self, what: str, data: bytes, said: str | None = None) -> None:
        """A result's bytes for the input ``what``; ``said``: the hash in the job."""
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            if self.results.setdefault(what, digest) != digest or said not in (None, digest):
                self.wrong.append(what)


class Client(threading.Thread):
    def __init__(self, number: int, server: Server, account: Account, until: float, pause: float) -> None:
        super().__init__(name=f"client {number}")
        self.number, self.server, self.account, self.until, self.pause = number, server, account, until, pause
        self.dice = random.Random(number)

    def run(self) -> None:
        act = 0
        with httpx.Client(base_url=self.server.address, timeout=60) as http:
            while time.monotonic() < self.until:
                act += 1
                kind = self.dice.choices(["job", "cancel", "inpaint", "broken"], [16, 2, 3, 1])[0]
                try:
                    getattr(self, kind)(http, f"{self.number}-{act}")
                except httpx.TransportError:
                    self.account.count("no answer")
                    time.sleep(0.5)
                time.sleep(self.pause * self.dice.uniform(0, 2))

    def _files(self) -> tuple[str, dict[str, Any]]:
        number = self.dice.randrange(INPUTS)
        side = 48 + 8 * (number % 4)
        return str(number), {"image": picture(side, number), "mask": hole(side)}

    def _accepted(self, http: httpx.Client, key: str, files: dict[str, Any]) -> str:
        """The id of a job that was taken, however often it had to be sent; "" when time is up."""
        while time.monotonic() < self.until:
            try:
                answer = http.post(
                    "/api/jobs", files=files, data={"settings": SETTINGS}, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                self.account.count("no answer")
                time.sleep(0.5)
                continue
            if answer.status_code == 202:
                self.account.count("accepted")
                return str(answer.json()["id"])
            self._refused(answer)
        return ""

    def _refused(self, answer: httpx.Response) -> None:
        self.account.count(f"refused {answer.status_code}")
        time.sleep(self.dice.uniform(0.5, 1.5))

    def job(self, http: httpx.Client, key: str) -> None:
        what, files = self._files()
        name = self._accepted(http, key, files)
        if name and self.dice.random() < 0.3:
            self._watch(http, name)
        if name:
            self._follow(http, name, what)

    def _watch(self, http: httpx.Client, name: str) -> None:
        """Reads the events until the stream ends, which it may do before the job does."""
        with contextlib.suppress(httpx.TransportError), http.stream("GET", f"/api/jobs/{name}/events") as stream:
            last = ""
            for line in stream.iter_lines():
                last = line if line.startswith("event:") else last
            self.account.count("stream ended by " + last.removeprefix("event: "))

    def _follow(self, http: httpx.Client, name: str, what: str) -> None:
        """Asks until the job is over and takes its result, through all that happens to the server."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                answer = http.get(f"/api/jobs/{name}")
                if answer.status_code == 404:
                    break
                job = answer.json()
                if job["status"] == "done":
                    got = http.get(f"/api/jobs/{name}/result")
                    if got.status_code == 200:
                        self.account.result(what, got.content, job["result"]["sha256"])
                        return self.account.count("done")
                elif job["status"] not in ("queued", "running"):
                    error = job["error"] or {"code": ""}
                    return self.account.count(f"{job['status']} {error['code']}".strip())
            except httpx.TransportError:
                self.account.count("no answer")
            time.sleep(0.4)
        self.account.lost.append(name)

    def cancel(self, http: httpx.Client, key: str) -> None:
        _, files = self._files()
        name = self._accepted(http, key, files)
        if name:
            self.account.count("cancelled by us")
            http.delete(f"/api/jobs/{name}")

    def inpaint(self, http: httpx.Client, key: str) -> None:
        """A call that waits; the server's own errors apart, it ends with the picture or a refusal."""
        what, files = self._files()
        answer = http.post("/inpaint", files=files)
        if answer.status_code == 200:
            self.account.result(f"inpaint {what}", answer.content)
            self.account.count("inpaint done")
        elif answer.status_code == 500 and "unexpectedly" in answer.text:
            self.account.count("inpaint failed worker_crashed")
        else:
            self._refused(answer)

    def broken(self, http: httpx.Client, key: str) -> None:
        """An upload that ends in its middle."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server.port), 5) as connection,
        ):
            head = (
                "POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            )
            connection.sendall((head + "Content-Length: 99999\r\n\r\n--b\r\n").encode())
            self.account.count("broken off")


def trouble(server: Server, account: Account, until: float, every: float, disk: bool) -> None:
    """Does one bad thing after the other until the time is up."""
    dice = random.Random(0)
    while time.monotonic() < until:
        time.sleep(dice.uniform(0.5, 1.5) * every)
        kind = dice.choice(["worker killed", "server stopped", "server killed", *(["disk full"] if disk else [])])
        if kind == "worker killed":
            if server.kill_worker():
                account.count(kind)
            continue
        account.count(kind)
        if kind == "disk full":
            server.fill_disk(every / 3)
        else:
            server.end(signal.SIGTERM if kind == "server stopped" else signal.SIGKILL)


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[bool]:
    """A file system of its own at ``place``; False where that is not allowed."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


def run(minutes: float, clients: int, pause: float, every: float, disk_mb: int) -> dict[str, Any]:
    account = Account()
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder, "disk"), disk_mb) as disk:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = Server(Path(folder), port)
        try:
            began = time.monotonic()
            until = began + 60 * minutes
            threads: list[threading.Thread] = [Client(n, server, account, until, pause) for n in range(clients)]
            threads.append(threading.Thread(target=trouble, args=(server, account, until, every, disk)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            memory = server.memory_mb()
        finally:
            server.process.terminate()
            server.process.wait(60)
        log = Path(folder, "server.log").read_text()
    return {
        "minutes": round((time.monotonic() - began) / 60, 1),
        "clients": clients,
        "pause": pause,
        "disk": f"{disk_mb} MB" if disk else "never full: no right to mount one",
        **dict(sorted(account.counts.items())),
        "memory_mb": round(memory),
        "tracebacks": log.count("Traceback"),
        "lost": account.lost,
        "wrong": account.wrong,
        "log": log[-2000:] if "Traceback" in log else "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--pause", type=float, default=0, help="seconds a client rests after each of its acts")
    parser.add_argument("--every", type=float, default=30, help="seconds between two bad things")
    parser.add_argument("--disk-mb", type=int, default=48)
    chosen = parser.parse_args()
    done = run(chosen.minutes, chosen.clients, chosen.pause, chosen.every, chosen.disk_mb)
    print(json.dumps(done, indent=2))
    sys.exit(bool(done["lost"] or done["wrong"] or done["tracebacks"] or done.get("refused 500")))


if __name__ == "__main__":
    main()
