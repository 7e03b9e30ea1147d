from pathlib import Path

import pytest

from patchloom.batch.journal import Journal, Known, known_pictures
from patchloom.errors import OutputError
from patchloom.outputs import read_records

DONE = {"name": "a.jpg", "output": "a.jpg", "status": "done", "key": "01" * 32, "result_sha256": "02" * 32}


def test_a_line_torn_by_a_crash_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.add(DONE)
        journal.add({**DONE, "output": "b.jpg"})
    path.write_bytes(path.read_bytes()[:-20])
    with Journal(path) as journal:
        journal.add({**DONE, "output": "c.jpg"})
    assert [record["output"] for record in read_records(path)] == ["a.jpg", "c.jpg"]


def test_only_a_done_line_makes_a_picture_done(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.add(DONE)
        journal.add({"name": "a.jpg", "output": "a.jpg", "status": "started"})
        journal.add({"name": "b.jpg", "output": "b.jpg", "status": "started"})
        journal.add({"name": "c.jpg", "output": "c.jpg", "status": "failed", "error": "…"})
    known = known_pictures(path)
    assert known["a.jpg"] == Known(b"\x01" * 32, b"\x02" * 32)
    assert known["b.jpg"] == known["c.jpg"] == Known()


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"), pytest.raises(OutputError, match="Another run"):
        Journal(tmp_path / "journal")
    Journal(tmp_path / "journal").__exit__(None, None, None)
