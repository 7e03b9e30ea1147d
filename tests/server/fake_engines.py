"""Engines for the worker process whose behaviour the last word of the uploaded file decides."""

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from patchloom.errors import Cancelled
from patchloom.server.worker import Message, Send


class Actor:
    """``echo`` is what it does with a file that says nothing: the result is the upload."""

    def __init__(self, options: Message) -> None:
        self.about: Message = {"networks": {"content": [], "texture": ["tiny"]}}

    def __call__(self, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        folder = Path(task["folder"])
        word = (folder / "image").read_bytes().split(b"|")[-1].decode("latin-1")
        send({"event": "level_started", "level": 0, "levels": 1, "stage": word[:20]})
        getattr(self, word if word in ACTS else "echo")(folder, send, stopped)
        shutil.copyfile(folder / "image", folder / "result")
        size = (folder / "result").stat().st_size
        return {"format": "PNG", "media_type": "image/png", "width": 4, "height": 4, "bytes": size, "sha256": ""}

    def echo(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        (folder / "preview-1").write_bytes(b"a picture")
        send({"event": "level_done", "preview": 1, "level": 0, "box": [0, 0, 4, 4]})

    def wait(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        for step in range(6000):
            send({"event": "step", "fraction": step / 6000})
            time.sleep(0.02)
            if stopped():
                raise Cancelled("Stopped.")

    def stubborn(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        time.sleep(120)

    def crash(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def eat(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        eaten = [b"x" * (20 << 20) for _ in range(40)]
        time.sleep(60)
        assert eaten

    def full(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        """The disk is full the first time."""
        if not (folder / "tried").exists():
            (folder / "tried").touch()
            raise OSError(errno.ENOSPC, "No space left on device")

    def bug(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        raise RuntimeError(f"secret {folder}")


ACTS = ("wait", "stubborn", "crash", "eat", "full", "bug")


class Stillborn:
    """Ends its process before it is ready."""

    about: Message

    def __init__(self, options: Message) -> None:
        os._exit(3)


class Offline:
    """The real engine in a process in which every attempt to reach another machine fails the job."""

    def __new__(cls, options: Message) -> "Offline":
        import network_guard

        network_guard.only_this_machine().__enter__()  # for the life of this process
        from patchloom.server.engine import PictureEngine

        return PictureEngine({**options, "warm": False})  # type: ignore[return-value]
