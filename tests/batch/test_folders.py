"""Folders by any name they go by, and whose they are."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from patchloom.batch.folders import OWN, Folder, open_folder
from patchloom.errors import OutputError

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="makes links")


def names(folder: Folder, *apart: Folder) -> list[str]:
    return sorted(found.name for found in folder.files(True, apart))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("in/a.jpg", "in/out/a.jpg", "in/outer/b.jpg", "elsewhere/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link").symlink_to("in")
    return tmp_path


def test_a_folder_inside_is_apart_however_it_is_called(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "in")
    for photos in (tree / "in", tree / "link", "."):
        for results in (tree / "in/out", tree / "link/out", "../in/out", "out", "./outer/../out"):
            assert names(open_folder(photos), open_folder(results)) == ["a.jpg", "outer/b.jpg"]


def test_folders_that_are_links_are_entered_and_loops_are_not(tree: Path) -> None:
    (tree / "in/more").symlink_to(tree / "elsewhere")
    (tree / "in/outer/up").symlink_to(tree / "in")
    (tree / "elsewhere/results").symlink_to(tree / "in/out")
    found = names(open_folder(tree / "in"), open_folder(tree / "in/out"))
    assert found == ["a.jpg", "more/c.jpg", "outer/b.jpg"]


def test_a_claim_leaves_nothing_and_touches_nothing_of_others(tree: Path) -> None:
    precious = [tree / "in/.mine.part", tree / "in/outer/.download.iso.part"]
    for file in precious:
        file.write_text("precious")
    folder = open_folder(tree / "in")
    with folder.claimed("me"):
        assert folder.owner() == "me"
        folder.write("deep/d.jpg", b"data")
        with pytest.raises(OutputError, match="Another run"), folder.claimed("you"):
            pass
    assert folder.owner() == ""
    assert not (tree / "in" / OWN).exists()
    assert (tree / "in/deep/d.jpg").read_bytes() == b"data"
    assert [file.read_text() for file in precious] == ["precious", "precious"]


def test_a_killed_run_leaves_no_lock_and_its_parts_are_removed(tree: Path) -> None:
    script = (
        "import os, sys, time; from patchloom.batch.folders import open_folder\n"
        "with open_folder(sys.argv[1]).claimed('old'):\n"
        "    open(sys.argv[1] + '/.patchloom/.a.jpg.xyz.part', 'w').close()\n"
        "    print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tree / "in")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    folder = open_folder(tree / "in")
    with pytest.raises(OutputError, match="Another run"), folder.claimed("new"):
        pass
    process.kill()
    process.communicate()
    assert folder.owner() == "old"
    with folder.claimed("new"):
        assert not list((tree / "in" / OWN).glob(".*.part"))
        assert folder.owner() == "new"


def test_a_folder_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"), open_folder(tmp_path / "file/out").claimed("me"):
        pass


def test_a_store_is_claimed_too() -> None:
    pytest.importorskip("fsspec")
    folder = open_folder(f"memory://bucket-{os.getpid()}-{time.monotonic_ns()}/out")
    with folder.claimed("me"):
        assert folder.owner() == "me"
        assert names(folder) == []
    assert folder.owner() == ""
