"""Where the files of jobs lie: one private folder a server, one folder a job, nothing named by a client."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from patchloom.errors import PatchloomError
from patchloom.outputs import held

LOCK = ".lock"  # in a server's folder, held while it runs
_CHUNK = 1 << 20


class Storage:
    """A folder only its owner can read. What servers that no longer run have left behind is removed at start.

    ``parent`` holds one folder a server, with a lock in it that the system opens when the server ends, however it
    ends; the default is the system's temporary folder.
    """

    def __init__(self, parent: Path | None = None) -> None:
        base = (parent or _own_folder()).resolve()
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stack = ExitStack()
        with held(base / ".lock", "Another server is starting.", "Start this one again.", patience=10):
            _remove_leftovers(base)
            self.folder = Path(tempfile.mkdtemp(prefix="server-", dir=base))  # mode 0700
            self._stack.enter_context(held(self.folder / LOCK, "Another server has this folder.", ""))

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

    def close(self) -> None:
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def write_private(path: Path, source: BinaryIO) -> None:
    """Copies ``source`` from its beginning to a new file that only its owner can read."""
    source.seek(0)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _own_folder() -> Path:
    """This user's folder among the temporary ones. Raises PermissionError if somebody else has put it there."""
    name = str(os.getuid()) if hasattr(os, "getuid") else "files"
    folder = Path(tempfile.gettempdir()) / f"patchloom-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        raise PermissionError(f"{folder} belongs to somebody else; choose another with --folder.")
    return folder


def _remove_leftovers(base: Path) -> None:
    for folder in base.glob("server-*"):
        try:
            with held(folder / LOCK, "A server has it.", ""):
                pass
        except PatchloomError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
