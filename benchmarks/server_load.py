"""Sends many jobs to a server of its own and watches its memory: does it grow from job to job?

    python benchmarks/server_load.py --jobs 200

Prints a JSON object: memory of server and worker (resident, MB) after a warm-up of a tenth of the jobs and at the
end, each the median over a tenth of the jobs, the growth in per cent, jobs a second, and what is left on the disk.
"""

import argparse
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image

from patchloom.server.storage import LOCK


def picture(side: int, seed: int) -> bytes:
    """A PNG of coloured noise on a ramp."""
    ramp = np.linspace(0, 200, side)[:, None, None] + np.zeros((1, side, 3))
    noise = np.random.default_rng(seed).integers(0, 40, (side, side, 3))
    return _png((ramp + noise).astype(np.uint8))


def hole(side: int) -> bytes:
    """A PNG with a white box in the middle."""
    mask = np.zeros((side, side), np.uint8)
    mask[side * 2 // 5 : side * 3 // 5, side * 2 // 5 : side * 3 // 5] = 255
    return _png(mask)


def _png(array: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def memory(pid: int) -> float:
    """Resident MB of a process and all below it."""
    root = psutil.Process(pid)
    return sum(each.memory_info().rss for each in [root, *root.children(recursive=True)]) / 2**20


def run(jobs: int, side: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Starts a server, sends ``jobs`` one after the other, each followed to its end and downloaded."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "patchloom", "serve", "--port", "0", "--folder", folder]
        server = subprocess.Popen([*command, "--keep-minutes", "0.02"], stderr=subprocess.PIPE, text=True)
        try:
            assert server.stderr is not None
            line = next(line for line in server.stderr if "http://" in line)
            address = re.findall(r"http://\S+", line)[0]
            with httpx.Client(base_url=address, timeout=300) as client:
                while not client.get("/api/health").json()["ready"]:
                    time.sleep(0.1)
                began = time.perf_counter()
                samples = [one(client, side, number, settings, server.pid) for number in range(jobs)]
                seconds = time.perf_counter() - began
            time.sleep(5)
            left = sum(name != LOCK for _, _, files in os.walk(folder) for name in files)
        finally:
            server.terminate()
            server.communicate(timeout=20)
    tenth = max(1, jobs // 10)
    start, end = statistics.median(samples[tenth : 2 * tenth]), statistics.median(samples[-tenth:])
    return {
        "jobs": jobs,
        "side": side,
        "seconds_per_job": round(seconds / jobs, 3),
        "memory_mb_start": round(start, 1),
        "memory_mb_end": round(end, 1),
        "growth_percent": round(100 * (end / start - 1), 2),
        "files_left": left,
    }


def one(client: httpx.Client, side: int, number: int, settings: dict[str, Any], pid: int) -> float:
    """One job; the memory after it."""
    files = {"image": picture(side, number), "mask": hole(side)}
    answer = client.post("/api/jobs", files=files, data={"settings": json.dumps({**settings, "seed": number})})
    job = answer.raise_for_status().json()
    client.get(job["links"]["events"])  # ends with the job
    client.get(job["links"]["result"]).raise_for_status()
    return memory(pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--side", type=int, default=96, help="of the pictures, in pixels")
    parser.add_argument("--settings", default='{"preset": "fast"}', help="JSON")
    chosen = parser.parse_args()
    print(json.dumps(run(chosen.jobs, chosen.side, json.loads(chosen.settings)), indent=2))


if __name__ == "__main__":
    main()
