"""Files written whole or not at all, and what is asked of their place before the work that makes them."""

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import filelock

from patchloom.errors import OutputError


def file_named(name: str | Path) -> Path:
    """Raises OutputError where ``name`` ends as only a folder's does: pathlib would make a file's of it."""
    if str(name).endswith(("/", os.sep)):
        raise OutputError(f"'{name}' is a folder's name.", f"Give that of a file, such as {name}result.png.")
    return Path(name)


def refuse_existing(path: Path, force: bool) -> None:
    """Raises OutputError if writing ``path`` would overwrite something and ``force`` does not allow it."""
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder.", "Give the name of a file.")
    if not force and (path.exists() or path.is_symlink()) and not _passes_on(path):
        raise OutputError(f"'{path}' exists already.", "Choose another name, or overwrite it with {force}.")


def make_folder(path: Path) -> None:
    """The folder and those above it, where they are missing. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"'{path}' cannot be created: {(error.strerror or '').lower()}.") from error


def require_place(path: Path, force: bool = False) -> None:
    """Raises OutputError now, before any work, for a file that could not be written after it."""
    refuse_existing(path, force)
    if _is_special(path):
        if not os.access(path, os.W_OK):
            raise OutputError(f"'{path}' cannot be written.", "Choose another place with -o.")
        return
    folder = _target(path).parent
    if not folder.is_dir():
        raise OutputError(f"There is no folder '{folder}'.", "Create it first, or choose another place with -o.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def require_distinct(files: Mapping[str, str | Path | None], kept: Mapping[str, str | Path | None]) -> None:
    """Raises OutputError if two of ``files``, which will be written, are one, or one of them is in ``kept``."""
    taken: dict[Path, str] = {Path(path).resolve(): name for name, path in kept.items() if path is not None}
    for name, path in files.items():
        if path is None:
            continue
        other = taken.setdefault(Path(path).resolve(), name)
        if other != name:
            raise OutputError(f"'{path}' would be both {other} and {name}.", "Give them different names.")


@contextlib.contextmanager
def writing(path: Path, *, force: bool = False, through: Path | None = None) -> Iterator[IO[bytes]]:
    """An open file that becomes ``path`` when the block ends, and nothing if it fails. A link is followed.

    Until then it lies in the target's folder, or in ``through`` on the same disk. Raises OutputError.
    """
    refuse_existing(path, force)
    target, temporary = _target(path), ""
    try:
        if _is_special(path):  # /dev/stdout, a pipe: nothing to rename to
            with path.open("wb") as file:
                yield file
            return
        folder = through or target.parent
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=folder)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())  # noqa: PTH101
        if not force:
            refuse_existing(path, force)
        os.replace(temporary, target)  # noqa: PTH105
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()


def write_whole(path: Path, data: bytes, *, force: bool = False, through: Path | None = None) -> None:
    """The whole file or none, as :func:`writing`. Raises OutputError."""
    with writing(path, force=force, through=through) as file:
        file.write(data)


@contextlib.contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A path beside ``path`` for a file that takes its place when the block ends, and does not if it fails."""
    part = path.with_name(path.name + ".part")
    yield part
    part.replace(path)


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file that has one a line; nothing where there is no file. Lines that a crash has torn
    are passed over."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


@contextlib.contextmanager
def held(path: Path, taken: str, hint: str, patience: float = 0.0) -> Iterator[None]:
    """Holds the lock file ``path`` against other processes for the block's time; the system lets go of it when the
    process ends, however it ends. Raises OutputError with ``taken`` and ``hint`` where another has it for longer
    than ``patience`` seconds."""
    try:
        lock = filelock.FileLock(path, timeout=patience)
        lock.acquire()
    except filelock.Timeout as error:
        raise OutputError(taken, hint) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows keeps open files
            path.unlink()
        lock.release()


def _passes_on(path: Path) -> bool:
    """Whether nothing is lost by writing to it: a pipe, a terminal."""
    mode = path.stat().st_mode if path.exists() else 0
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _target(path: Path) -> Path:
    """The file itself where ``path`` is a link to it: whoever follows another link must see the new picture."""
    return path.resolve() if path.is_symlink() else path


def _unwritable(path: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(f"'{path}' cannot be written: {reason}.", "Choose another place with -o.")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
