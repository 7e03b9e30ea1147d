"""Where the files of jobs lie: one private folder a server, one folder a job, nothing named by a client."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from patchloom.errors import PatchloomError
from patchloom.outputs import held

LOCK = ".lock"  # in a server's folder, held while it runs
LEAST_ROOM = 8 << 20  # bytes that have to be free for work to be taken or begun
_CHUNK = 1 << 20


class Storage:
    """A folder only its owner can read. What servers that no longer run have left behind is removed at start.

    ``parent`` holds one folder a server, with a lock in it that the system opens when the server ends, however it
    ends; the default is the system's temporary folder. In a ``parent`` that was chosen, the jobs' folders in which
    there is a file ``keep`` outlive their server: the next one has their names in ``inherited``.
    """

    def __init__(self, parent: Path | None = None, keep: str = "") -> None:
        self.keep = keep if parent is not None else ""
        base = (parent or _own_folder()).resolve()
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stack = ExitStack()
        with held(base / ".lock", "Another server is starting.", "Start this one again.", patience=10):
            self.folder = Path(tempfile.mkdtemp(prefix="server-", dir=base))  # mode 0700
            self._stack.enter_context(held(self.folder / LOCK, "Another server has this folder.", ""))
            self.inherited = [name for left in _leftovers(base) for name in self._take_over(left)]

    def create(self, name: str) -> Path:
        """A new, empty, private folder for the job called ``name``."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder

    def remove(self, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def size(self, name: str) -> int:
        """Bytes in the job's folder."""
        try:
            return sum(entry.stat().st_size for entry in os.scandir(self.folder / name))
        except FileNotFoundError:
            return 0

    def room(self) -> int:
        """Bytes that are free where jobs lie and where uploads are spooled, whichever is less."""
        return min(shutil.disk_usage(folder).free for folder in (self.folder, tempfile.gettempdir()))

    def close(self) -> None:
        self._stack.close()
        kept = self._kept(self.folder)
        for folder in self.folder.iterdir() if kept else [self.folder]:
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _kept(self, server: Path) -> list[Path]:
        """The jobs' folders in a server's that outlive it."""
        return [file.parent for file in server.glob(f"*/{self.keep}")] if self.keep else []

    def _take_over(self, left: Path) -> list[str]:
        """Moves what outlives a server that no longer runs to our own folder and removes the rest."""
        names = [folder.rename(self.folder / folder.name).name for folder in self._kept(left)]
        shutil.rmtree(left, ignore_errors=True)
        return names


def is_full(error: OSError) -> bool:
    """Whether it says that the disk is full, or the user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def write_private(path: Path, source: BinaryIO) -> None:
    """Copies ``source`` from its beginning to a new file that only its owner can read."""
    source.seek(0)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _own_folder() -> Path:
    """The user's folder among the temporary ones. Raises PermissionError if somebody else has put it there."""
    name = str(os.getuid()) if hasattr(os, "getuid") else "files"
    folder = Path(tempfile.gettempdir()) / f"patchloom-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        raise PermissionError(f"{folder} belongs to somebody else; choose another with --folder.")
    return folder


def _leftovers(base: Path) -> Iterator[Path]:
    """The folders of servers that no longer run."""
    for folder in sorted(base.glob("server-*")):
        try:
            with held(folder / LOCK, "A server has it.", ""):
                pass
        except PatchloomError:
            continue
        yield folder
