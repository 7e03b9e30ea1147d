"""Files that are whole or not there, links that stay links, and places that are tried beforehand."""

import os
from pathlib import Path

import pytest

from patchloom.errors import OutputError
from patchloom.outputs import held, require_distinct, require_place, write_whole, writing

posix = pytest.mark.skipif("sys.platform == 'win32'", reason="makes links")


@posix
def test_a_link_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"with the removed thing")
    (tmp_path / "link.png").symlink_to("real.png")
    with pytest.raises(OutputError, match="exists already"):
        write_whole(tmp_path / "link.png", b"new")
    write_whole(tmp_path / "link.png", b"new", force=True)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes() == b"new"


@posix
def test_a_link_that_leads_nowhere_is_not_replaced_unasked(tmp_path: Path) -> None:
    link = tmp_path / "link.png"
    link.symlink_to("later.png")
    for refuse in (write_whole, lambda path, data: require_place(path)):
        with pytest.raises(OutputError, match="exists already"):
            refuse(link, b"new")
    write_whole(link, b"new", force=True)
    assert link.is_symlink() and (tmp_path / "later.png").read_bytes() == b"new"
    link.unlink()
    link.symlink_to("nowhere/later.png")
    with pytest.raises(OutputError, match="no folder"):
        require_place(link, force=True)


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "a", force=True) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@posix
def test_a_place_that_cannot_be_written_is_found_before(tmp_path: Path) -> None:
    require_place(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    for bad in (tmp_path / "none/a.png", Path("/proc/a.png"), Path("/dev/fd/63.filled.png"), tmp_path):
        with pytest.raises(OutputError):
            require_place(bad)
    require_place(Path(os.devnull), force=True)


@posix
def test_outputs_are_told_apart_by_file_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    a, also_a = tmp_path / "a.png", tmp_path / "link" / "a.png"
    require_distinct({"-o": a, "--report": tmp_path / "b.json", "--save-settings": None}, {"the photo": "c.png"})
    with pytest.raises(OutputError, match="both -o and --report"):
        require_distinct({"-o": a, "--report": also_a}, {})
    with pytest.raises(OutputError, match="both the photo and --report"):
        require_distinct({"--report": also_a}, {"the photo": a})


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    again = held(tmp_path / "lock", "taken", "")
    with held(tmp_path / "lock", "taken", ""), pytest.raises(OutputError, match="taken"), again:
        pass
    with held(tmp_path / "lock", "taken", ""):
        pass
