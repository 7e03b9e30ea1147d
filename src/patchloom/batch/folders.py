"""Where pictures are read from and results go: a local folder, or any address that fsspec understands.

A folder is named by one string, so that it travels to a worker on another machine. Names inside it are relative,
with forward slashes. A write appears whole or not at all.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from patchloom.errors import InputError, MissingExtra, OutputError

PART = ".*.part"
"""The name of a file that is still being written (:func:`patchloom.photo.write_whole`); it never counts."""


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

    def files(self, recursive: bool) -> Iterator[Found]:
        """All files that are not hidden, sorted within each folder."""
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

    def prepare(self) -> None:
        """Creates the folder where it is missing and checks that it can be written. Raises OutputError."""
        ...

    def sweep(self) -> int:
        """Removes what killed workers left half-written; returns how many files."""
        ...


def open_folder(location: str | Path) -> Folder:
    """The folder at a path or at an fsspec address such as ``s3://bucket/scans``."""
    text = str(location)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    return RemoteFolder(text.rstrip("/")) if "://" in text else LocalFolder(str(Path(text).absolute()))


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, or of a disk that every worker has mounted under the same path."""

    location: str

    def files(self, recursive: bool) -> Iterator[Found]:
        for parent, folders, names in os.walk(self.location):
            folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
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
        from patchloom.photo import write_whole

        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{name} cannot be written: {_reason(error)}.") from error
        write_whole(path, data, force=True)

    def prepare(self) -> None:
        try:
            Path(self.location).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.location):
                pass
        except OSError as error:
            raise OutputError(
                f"The folder {self.location} cannot be written: {_reason(error)}.", "Choose another with -o."
            ) from error

    def sweep(self) -> int:
        parts = list(Path(self.location).rglob(PART))
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)

    def _path(self, name: str) -> Path:
        return Path(self.location, name)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder of an object store or server, through fsspec; the store's own driver (s3fs, gcsfs …) is needed."""

    location: str

    def files(self, recursive: bool) -> Iterator[Found]:
        system, root = self._open()
        try:
            entries = system.find(root, maxdepth=None if recursive else 1, detail=True)
        except Exception as error:  # a driver's errors share no base class
            raise InputError(f"{self.location} cannot be listed: {_reason(error)}.") from error
        for path in sorted(entries):
            name = path.removeprefix(root).lstrip("/")
            hidden = any(part.startswith(".") for part in name.split("/"))
            if entries[path].get("type") == "file" and not hidden:
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

    def prepare(self) -> None:
        system, root = self._open()
        try:
            system.makedirs(root, exist_ok=True)
        except Exception as error:  # a driver's errors share no base class
            raise OutputError(
                f"The folder {self.location} cannot be written: {_reason(error)}.", "Choose another with -o."
            ) from error

    def sweep(self) -> int:
        return 0  # an object store shows no part of an object

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


def _found(name: str, entry: dict[str, Any]) -> Found:
    stamp = next((str(entry[key]) for key in ("ETag", "etag", "mtime", "modified", "created") if key in entry), "")
    return Found(name, int(entry.get("size") or 0), stamp)


def _reason(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
