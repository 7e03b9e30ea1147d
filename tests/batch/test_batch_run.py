"""What is done, done again, kept, refused and reported; the same rules for every executor."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from patchloom.batch.order import write_report
from patchloom.errors import OutputError
from patchloom.events import CaseDone

FOUR = {"a.jpg": "good", "b.jpg": "broken", "sub dir/ç.jpg": "good", "d.jpg": "bug"}
NO_UNICODE = os.fsdecode(b"\xff.jpg")  # as old archives have them


def test_a_failure_is_named_and_stops_nothing(fake_batch: Any, tmp_path: Path) -> None:
    batch = fake_batch(FOUR)
    summary = batch.run()
    assert summary.counts["done"] == 2
    assert set(batch.failures()) == {"b.jpg", "d.jpg"}
    assert "cut short" in batch.failures()["b.jpg"]
    assert (batch.results / "sub dir/ç.jpg").read_bytes() == (batch.photos / "sub dir/ç.jpg").read_bytes()[::-1]
    assert [event.done for event in batch.events if isinstance(event, CaseDone)] == [1, 2, 3, 4]

    write_report(tmp_path / "report.json", batch.journal, summary)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["failed"] == 2
    assert {row["name"]: row["status"] for row in report["pictures"]} == {
        "a.jpg": "done",
        "b.jpg": "failed",
        "d.jpg": "failed",
        "sub dir/ç.jpg": "done",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
def test_a_name_that_is_no_text_is_a_name(fake_batch: Any, tmp_path: Path) -> None:
    batch = fake_batch({NO_UNICODE: "good"})
    write_report(tmp_path / "report.json", batch.journal, batch.run())
    assert batch.run(existing="resume").counts["kept"] == 1
    assert json.loads((tmp_path / "report.json").read_text())["pictures"][0]["name"] == NO_UNICODE


def test_fail_fast_stops_at_the_first(fake_batch: Any) -> None:
    batch = fake_batch(FOUR)
    summary = batch.run(fail_fast=True)
    assert (summary.counts["done"], summary.counts["failed"]) == (1, 1)


def test_resume_does_again_what_changed_and_nothing_else(fake_batch: Any) -> None:
    batch = fake_batch({f"{letter}.jpg": "good" for letter in "abcde"} | {"f.jpg": "broken"})
    batch.run()
    (batch.photos / "a.jpg").write_text("good, another photo")
    (batch.masks / "b.jpg").write_text("another mask")
    (batch.results / "c.jpg").write_bytes((batch.results / "c.jpg").read_bytes()[:3])  # damaged since
    (batch.results / "d.jpg").unlink()
    before = len(batch.filled())
    summary = batch.run(existing="resume")
    assert batch.filled()[before:] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "f.jpg"]
    assert summary.counts == {"done": 4, "kept": 1, "skipped": 0, "failed": 1, "stopped": 0}
    for name in "abcde":
        assert (batch.results / f"{name}.jpg").read_bytes() == (batch.photos / f"{name}.jpg").read_bytes()[::-1]


def test_changed_settings_do_everything_again(fake_batch: Any) -> None:
    batch = fake_batch({"a.jpg": "good", "b.jpg": "good"})
    batch.run()
    batch.digest = "b" * 64
    assert batch.run(existing="resume").counts["done"] == 2
    assert batch.run(existing="resume").counts["kept"] == 2


def test_results_of_others_are_never_overwritten_unasked(fake_batch: Any) -> None:
    batch = fake_batch({"a.jpg": "good", "b.jpg": "good"})
    (batch.results / "b.jpg").write_text("somebody's work")
    for existing in ("refuse", "resume"):
        with pytest.raises(OutputError, match=r"b\.jpg"):
            batch.run(existing=existing)
    assert batch.filled() == []
    assert batch.run(existing="skip").counts["done"] == 1
    assert (batch.results / "b.jpg").read_text() == "somebody's work"
    assert batch.run(existing="replace").counts == {"done": 1, "kept": 1, "skipped": 0, "failed": 0, "stopped": 0}
    assert (batch.results / "b.jpg").read_text() != "somebody's work"


def test_what_exceeds_a_share_is_done_again_with_everything(fake_batch: Any) -> None:
    batch = fake_batch({"a.jpg": "large", "b.jpg": "good"})
    assert batch.run().counts["done"] == 2
    assert batch.filled() == ["a.jpg", "b.jpg", "a.jpg"]
    assert batch.done_records() == ["b.jpg", "a.jpg"]
