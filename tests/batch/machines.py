"""A scheduler and workers on loopback, each in a process of its own and started again when it ends, as a service
manager would."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Machines:
    """``workers`` workers with one thread each and their scheduler. Use as a context manager."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._folder, self._logs = folder, folder / "machines.log"
        folder.mkdir(parents=True, exist_ok=True)
        dask = [sys.executable, "-m", "dask"]
        quiet = ["--no-dashboard", "--host", "127.0.0.1"]
        self._scheduler = [*dask, "scheduler", "--port", str(port), *quiet]
        self._worker = [*dask, "worker", self.address, "--nthreads", "1", "--local-directory", str(folder), *quiet]
        self._services = [self._service(self._scheduler), *(self._service(self._worker) for _ in range(workers))]

    def _service(self, command: list[str]) -> subprocess.Popen[bytes]:
        loop = f"while true; do {shlex.join(command)}; sleep 0.2; done"
        paths = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
        with self._logs.open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", loop],
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": paths},
                start_new_session=True,
            )

    def restart_scheduler(self) -> None:
        """Kills it without a word; the service starts another that knows nothing."""
        children = Path(f"/proc/{self._services[0].pid}/task/{self._services[0].pid}/children").read_text()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)

    def __enter__(self) -> Self:
        """Once the scheduler listens: on a busy machine that takes longer than a client waits for one."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
                return self
            time.sleep(0.1)
        self.__exit__(None, None, None)
        raise TimeoutError(f"No scheduler after two minutes: see {self._logs}.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in self._services:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(service.pid, signal.SIGKILL)
            service.wait()
