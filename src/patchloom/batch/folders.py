"""Where pictures are read from and results go: a local folder, or any address that fsspec understands.

A folder is named by one string, so that it travels to a worker on another machine. Names inside it are relative,
with forward slashes. A write appears whole or not at all.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from patchloom.errors import InputError, MissingExtra, OutputError
from patchloom.outputs import held, write_whole

OWN = ".patchloom"
"""The folder among results that is this program's: its lock, whose run it is, and files still being written."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a folder. ``stamp`` changes when the file does (its modification time, or the store's tag)."""

    name: str
    size: int
    stamp: str = ""


class Folder(Protocol):
    """Files by relative name."""

    @property
    def location(self) -> str: ...

    def files(self, recursive: bool, apart: Sequence["Folder"] = ()) -> Iterator[Found]:
        """All files that are not hidden, sorted within each folder, but for what lies in the folders ``apart``."""
        ...

    def read(self, name: str) -> bytes:
        """The file's content. Raises InputError."""
        ...

    def find(self, name: str) -> Found | None:
        """The file's size, or None where there is no such file."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Makes the file, whole or not at all, replacing one of that name. Raises OutputError."""
        ...

    def claimed(self, owner: str) -> AbstractContextManager[None]:
        """Makes the folder where it is missing, and makes it the run ``owner``'s for the block's time.

        What a run that was killed left half-written is removed. Raises OutputError where the folder cannot be
        written or another run has it.
        """
        ...

    def owner(self) -> str:
        """The run whose folder it is; empty where there is none."""
        ...


def open_folder(location: str | Path) -> Folder:
    """The folder at a path or at an fsspec address such as ``s3://bucket/scans``."""
    text = str(location)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    return RemoteFolder(text.rstrip("/")) if "://" in text else LocalFolder(str(Path(text).resolve()))


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, or of a disk that every worker has mounted under the same path.

    ``location`` is absolute and holds no link, so that one folder has one name.
    """

    location: str

    def files(self, recursive: bool, apart: Sequence[Folder] = ()) -> Iterator[Found]:
        barred = {Path(folder.location).resolve() for folder in apart if isinstance(folder, LocalFolder)}
        for parent, folders, names in os.walk(self.location, followlinks=True):
            below = sorted(folders) if recursive else []
            folders[:] = [name for name in below if not name.startswith(".") and _is_below(parent, name, barred)]
            for name in sorted(names):
                if name.startswith("."):
                    continue
                path = Path(parent, name)
                found = self.find(path.relative_to(self.location).as_posix())
                if found is not None:
                    yield found

    def read(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except OSError as error:
            raise InputError(f"{name} cannot be read: {_reason(error)}.") from error

    def find(self, name: str) -> Found | None:
        try:
            status = self._path(name).stat()
        except OSError:
            return None
        return Found(name, status.st_size, f"{status.st_mtime_ns}-{status.st_ino}")

    def write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            own = self._path(OWN)
            same_disk = own.is_dir() and own.stat().st_dev == path.parent.stat().st_dev
        except OSError as error:
            raise OutputError(f"{name} cannot be written: {_reason(error)}.") from error
        write_whole(path, data, force=True, through=own if same_disk else None)

    @contextmanager
    def claimed(self, owner: str) -> Iterator[None]:
        own = self._path(OWN)
        try:
            own.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.location):
                pass
        except OSError as error:
            raise OutputError(
                f"The folder {self.location} cannot be written: {_reason(error)}.", "Choose another with -o."
            ) from error
        taken = f"Another run is writing to {self.location}."
        with held(own / "lock", taken, "Wait for it to end, or choose another folder with -o."):
            for part in own.glob(".*.part"):
                part.unlink(missing_ok=True)
            write_whole(own / "run", owner.encode(), force=True)
            try:
                yield
            finally:
                (own / "run").unlink(missing_ok=True)
        with suppress(OSError):  # not empty: a worker that was stopped has left something, or a new run is there
            own.rmdir()

    def owner(self) -> str:
        try:
            return self._path(OWN, "run").read_text()
        except OSError:
            return ""

    def _path(self, *name: str) -> Path:
        return Path(self.location, *name)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder of an object store or server, through fsspec; the store's own driver (s3fs, gcsfs …) is needed."""

    location: str

    def files(self, recursive: bool, apart: Sequence[Folder] = ()) -> Iterator[Found]:
        system, root = self._open()
        barred = tuple(folder.location + "/" for folder in apart)
        try:
            entries = system.find(root, maxdepth=None if recursive else 1, detail=True)
        except Exception as error:  # a driver's errors share no base class
            raise InputError(f"{self.location} cannot be listed: {_reason(error)}.") from error
        for path in sorted(entries):
            name = path.removeprefix(root).lstrip("/")
            hidden = any(part.startswith(".") for part in name.split("/"))
            is_apart = f"{self.location}/{name}".startswith(barred)
            if entries[path].get("type") == "file" and not hidden and not is_apart:
                yield _found(name, entries[path])

    def read(self, name: str) -> bytes:
        system, root = self._open()
        try:
            data: bytes = system.cat_file(f"{root}/{name}")
        except Exception as error:  # a driver's errors share no base class
            raise InputError(f"{name} cannot be read: {_reason(error)}.") from error
        return data

    def find(self, name: str) -> Found | None:
        system, root = self._open()
        try:
            return _found(name, system.info(f"{root}/{name}"))
        except FileNotFoundError:
            return None
        except Exception as error:  # a driver's errors share no base class
            raise InputError(f"{name} cannot be looked up: {_reason(error)}.") from error

    def write(self, name: str, data: bytes) -> None:
        system, root = self._open()
        path = f"{root}/{name}"
        try:
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            with system.transaction, system.open(path, "wb") as file:  # appears at the transaction's end
                file.write(data)
        except Exception as error:  # a driver's errors share no base class
            raise OutputError(f"{name} cannot be written: {_reason(error)}.") from error

    @contextmanager
    def claimed(self, owner: str) -> Iterator[None]:
        system, root = self._open()
        path = f"{root}/{OWN}/run"
        try:
            system.makedirs(root, exist_ok=True)
            system.makedirs(f"{root}/{OWN}", exist_ok=True)
            system.pipe_file(path, owner.encode())
        except Exception as error:  # a driver's errors share no base class
            raise OutputError(
                f"The folder {self.location} cannot be written: {_reason(error)}.", "Choose another with -o."
            ) from error
        try:
            yield
        finally:
            with suppress(Exception):
                system.rm(f"{root}/{OWN}", recursive=True)

    def owner(self) -> str:
        system, root = self._open()
        try:
            return str(system.cat_file(f"{root}/{OWN}/run").decode())
        except Exception:  # a driver's errors share no base class; there is none, or nobody can tell
            return ""

    def _open(self) -> tuple[Any, str]:
        """The file system (fsspec keeps one per thread) and this folder's path in it."""
        try:
            import fsspec
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"{self.location} needs the package fsspec.", "Run: pip install 'patchloom[cluster]'"
            ) from error
        try:
            system, root = fsspec.core.url_to_fs(self.location)
        except (ImportError, ValueError) as error:
            raise InputError(f"{self.location} cannot be opened: {_reason(error)}.") from error
        return system, root.rstrip("/")


def _is_below(parent: str, name: str, barred: set[Path]) -> bool:
    """Whether to go down into a folder: not into one apart, nor by a link into one that holds the link."""
    path = Path(parent, name)
    if path.is_symlink() and Path(parent).resolve().is_relative_to(path.resolve()):
        return False
    return path.resolve() not in barred


def _found(name: str, entry: dict[str, Any]) -> Found:
    stamp = next((str(entry[key]) for key in ("ETag", "etag", "mtime", "modified", "created") if key in entry), "")
    return Found(name, int(entry.get("size") or 0), stamp)


def _reason(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
