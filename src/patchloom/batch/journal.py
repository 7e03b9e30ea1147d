"""The record of a run, one JSON object a line, appended as things happen.

``{"run": id, "settings": …}`` opens a run, ``{"name": …, "status": "started"}`` says that a worker was given a
picture, and one line with the outcome ends it. A picture counts as done when its line says so *and* photo, mask
and settings still have the hashes it was done with *and* the result still has the hash it was written with: so a
changed photo, changed settings and a damaged result are all done again.

Only the process that runs the batch writes here. A line torn by a crash is skipped when read, and the next line
starts afresh.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from patchloom.errors import OutputError
from patchloom.outputs import held, read_records

JOURNAL = ".patchloom-journal.jsonl"
"""Its name in the results' folder."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of a picture: with which key it was last done, and the result's hash.

    Both are empty for a picture that was begun and never finished. Kept as bytes: a million of them fit in memory.
    """

    key: bytes = b""
    result: bytes = b""


def known_pictures(path: Path) -> dict[str, Known]:
    """By the result's name, what earlier runs did."""
    known: dict[str, Known] = {}
    for record in read_records(path):
        output = record.get("output")
        if not isinstance(output, str):
            continue
        if record.get("status") == "done":
            known[output] = Known(bytes.fromhex(record["key"]), bytes.fromhex(record["result_sha256"]))
        elif output not in known:
            known[output] = Known()
    return known


class Journal:
    """Appends to the journal and holds it against a second run in the same folder.

    Raises OutputError if it cannot be written or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = path.with_name(f"{path.name}.lock")
                hint = "Wait for it to end, or choose another file with --journal."
                stack.enter_context(held(lock, f"Another run is writing the journal {path}.", hint))
                self._file = stack.enter_context(path.open("ab", buffering=0))
            except OSError as error:
                raise OutputError(f"The journal {path} cannot be written: {error.strerror}.") from error
            if _is_torn(path):
                self._file.write(b"\n")
            self._stack = stack.pop_all()

    def add(self, record: Mapping[str, Any]) -> None:
        """Appends one line, in one write. What a power cut takes back, the hashes tell, and it is done again."""
        try:
            line = json.dumps(record, ensure_ascii=False) + "\n"
            self._file.write(line.encode("utf-8", "surrogatepass"))  # names need not be valid Unicode
        except OSError as error:
            raise OutputError(f"The journal {self.path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _is_torn(path: Path) -> bool:
    """Whether the last line has no end."""
    size = path.stat().st_size
    if not size:
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) != b"\n"
