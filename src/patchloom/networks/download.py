"""Verified, resumable downloads of other people's weights.

A download goes into ``<file>.part`` and counts only once its size and SHA-256 are right. What was received is kept
when the connection breaks and taken up again, by the same mirror or the next, with a range request; a server that
ignores ranges starts over. Proxies are taken from ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``. Nothing is
downloaded unless :func:`fetch` is called.
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from patchloom.errors import WeightsError
from patchloom.events import Observer, Step, Warned, ignore
from patchloom.networks.calibration import normalise
from patchloom.networks.remotes import REMOTES, Remote
from patchloom.networks.texture import Vgg19
from patchloom.networks.weights import hash_file, read_state, record_sum, save_network, weights_folder

BLOCK = 1 << 20  # bytes read at a time
TRIES = 3  # per mirror, as long as each brings something new
TIMEOUT = 30.0  # seconds without a byte


_CARD = {
    "title": "VGG-19, conv1_1 to conv4_1",
    "origin": "K. Simonyan and A. Zisserman 2014, arXiv:1409.1556, as trained for torchvision (IMAGENET1K_V1)",
    "file": "vgg19-dcbb9e9d.pth, layers rescaled to the common mean activation",
    "trained_on": "ImageNet-1k (ILSVRC 2012), labels",
    "licence": REMOTES["vgg19"].licence,
}


def fetch(name: str, mirrors: Sequence[str] = (), observe: Observer = ignore, keep: bool = False) -> Path:
    """Download the network ``name``, check it, store what of it is used, and return that file's path.

    ``mirrors``, where given, replace the known ones; what they deliver must have the same size and SHA-256.
    ``keep`` leaves the whole download beside it. Raises WeightsError, and what ``observe`` raises to stop (what
    was received so far is kept).
    """
    if name not in REMOTES:
        raise WeightsError(f"There is no network '{name}' to fetch.", f"Known: {', '.join(REMOTES)}.")
    remote = REMOTES[name]
    if mirrors:
        remote = replace(remote, mirrors=tuple(mirrors))
    folder = weights_folder()
    downloaded = download(remote, folder, observe)
    if remote.role == "content":  # used as it is
        record_sum(downloaded, remote.sha256)
        return downloaded
    network = normalise(Vgg19.from_state(read_state(downloaded), "torchvision"))
    stored = folder / f"texture-{name}.safetensors"
    record_sum(stored, save_network(network, stored, _CARD, half=False))
    if not keep:
        downloaded.unlink()
    return stored


def download(remote: Remote, folder: Path, observe: Observer = ignore) -> Path:
    """``folder/remote.file``, complete and verified, from the first mirror that delivers. Raises WeightsError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / remote.file
    if path.is_file() and hash_file(path) == remote.sha256:
        return path
    part = path.with_name(path.name + ".part")
    reasons = []
    for url in remote.mirrors:
        reason = _try_mirror(url, remote, part, observe)
        if not reason:
            part.replace(path)
            return path
        reasons.append(f"{url}: {reason}")
        observe(Warned(message=reasons[-1]))
    raise WeightsError(
        f"{remote.file} could not be fetched. " + "; ".join(reasons) + ".",
        "Run it again to go on where it stopped, set HTTPS_PROXY behind a proxy, or copy the file from another "
        f"machine and give its path to --{remote.role}.",
    )


def _try_mirror(url: str, remote: Remote, part: Path, observe: Observer) -> str:
    """Completes and verifies ``part`` from ``url``; returns why not, or "" if it did."""
    reason = ""
    for _ in range(TRIES):
        before = _size(part)
        if before < remote.size:
            try:
                reason = _receive(url, remote, part, observe)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = _sentence(error)
        if _size(part) == remote.size:
            sha256 = hash_file(part)
            if sha256 == remote.sha256:
                return ""
            part.unlink()
            return f"its SHA-256 starts {sha256[:8]}, not {remote.sha256[:8]}"
        if reason and _size(part) <= before:
            return reason
        reason = f"the connection ended after {_size(part):,} of {remote.size:,} bytes"
    return reason


def _receive(url: str, remote: Remote, part: Path, observe: Observer) -> str:
    """Appends what ``url`` sends to ``part``; returns why what it has is not the file, or ""."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "patchloom", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        resumed = answer.status == 206
        if resumed and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            part.unlink()
            return "the server sent another range than asked for"
        start = start if resumed else 0
        announced = answer.headers.get("Content-Length")
        if announced is not None and start + int(announced) != remote.size:
            return f"the server has {start + int(announced):,} bytes instead of {remote.size:,}"
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, start, remote.size, observe)
    return ""


def _copy(answer: http.client.HTTPResponse, file: BinaryIO, done: int, size: int, observe: Observer) -> None:
    while done < size and (block := answer.read(min(BLOCK, size - done))):
        file.write(block)
        done += len(block)
        observe(Step(level=0, step=done // BLOCK, of=max(1, size // BLOCK), fraction=done / size))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sentence(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection ({error.reason})"
    return str(error) or type(error).__name__
