"""A live server on a free port, in a thread of the test process, and small pictures to send it."""

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from patchloom.server import listener
from patchloom.server.app import ServerSettings, create_app


@dataclass
class Live:
    """A running server: ``client`` talks to it, ``port`` is where it listens."""

    port: int
    client: httpx.Client
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """As SIGTERM does; returns when it has ended."""
        self.server.should_exit = True
        self.thread.join(20)

    def send(self, word: str = "", **fields: Any) -> httpx.Response:
        """POSTs a job whose file ends with ``word`` (for the fake engine)."""
        files = {"image": ("x.png", marked(word)), "mask": ("m.png", mask_png())}
        return self.client.post("/api/jobs", files=files, **fields)

    def finish(self, job: str, seconds: float = 30) -> dict[str, Any]:
        """The job's description once it is over."""
        with self.client.stream("GET", f"/api/jobs/{job}/events", timeout=seconds) as stream:
            for _ in stream.iter_lines():
                pass
        answer: dict[str, Any] = self.client.get(f"/api/jobs/{job}").json()
        return answer


@contextlib.contextmanager
def live(
    settings: ServerSettings, host: str = "127.0.0.1", headers: dict[str, str] | None = None
) -> Iterator[Live]:
    started = threading.Event()
    server = listener.server(
        create_app(settings), patience=settings.limits.patience_seconds, on_started=started.set
    )
    sockets = listener.open_sockets(host, 0)
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    port = sockets[0].getsockname()[1]
    try:
        assert started.wait(20)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as client:
            yield Live(port, client, server, thread)
    finally:
        server.should_exit = True
        thread.join(20)
        for listening in sockets:
            listening.close()


def png(array: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", **options)
    return file.getvalue()


def pixels(answer: httpx.Response) -> np.ndarray:
    """The picture that an answer brings."""
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image)


def photo(width: int = 64, height: int = 64, seed: int = 0) -> np.ndarray:
    """Smooth colours with a grain, (height, width, 3) uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.stack([rows * 3 % 256, columns * 2 % 256, (rows + columns) % 256], axis=-1)
    noise = np.random.default_rng(seed).integers(0, 12, base.shape)
    return np.clip(base + noise, 0, 255).astype(np.uint8)


def hole(width: int = 64, height: int = 64) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 3 : height // 2, width // 3 : width // 2] = 255
    return mask


def photo_png() -> bytes:
    return png(photo())


def mask_png(width: int = 64, height: int = 64) -> bytes:
    return png(hole(width, height))


def marked(word: str) -> bytes:
    """A small PNG with a word for the fake engine behind its end."""
    return png(photo()) + b"|" + word.encode()
