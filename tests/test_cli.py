"""The command line: exit codes, files and pipes, what is said where, and that nothing is ever lost."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from patchloom import Mask, Photo, cli
from patchloom.cli import COMMANDS

FAST = ["--preset", "fast", "--texture", "none", "--iterations", "0"]
WIDTH, HEIGHT = 96, 72
HOLE = (slice(30, 42), slice(40, 56))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo in two formats and a mask, and nothing else; the current one."""
    x = np.arange(WIDTH)
    rng = np.random.default_rng(4)
    stripes = np.where((x // 6) % 2, 200, 60)[:, None] + rng.integers(-9, 9, (HEIGHT, WIDTH, 3))
    picture = Image.fromarray(stripes.astype(np.uint8))
    picture.save(tmp_path / "photo.png")
    picture.save(tmp_path / "photo.jpg", quality=90)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[HOLE] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return cli.run(list(arguments))


def program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The program as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "patchloom", *arguments], capture_output=True, check=False, timeout=120, **options
    )


def png(samples: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, "PNG")
    return target.getvalue()


def test_a_fill_changes_the_hole_and_nothing_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fill", "photo.png", "mask.png", *FAST) == 0
    before, after = Photo.open("photo.png").pixels, Photo.open("photo.filled.png").pixels
    known = np.ones(before.shape[:2], bool)
    known[HOLE] = False
    np.testing.assert_array_equal(after[known], before[known])
    assert (after[HOLE] != before[HOLE]).any()
    out, err = capsys.readouterr()
    assert out == "" and "wrote photo.filled.png" in err
    assert sorted(path.name for path in folder.iterdir()) == [
        "mask.png",
        "photo.filled.png",
        "photo.jpg",
        "photo.png",
    ]


def test_boxes_and_masks_add_up_and_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    assert run("fill", "photo.png", "mask.png", "--box", "4,4,8,8", "-o", "a.png", *FAST) == 0
    both = ["--box", "40,30,16,12", "--box", "4,4,8,8"]
    assert run("fill", "photo.png", *both, "-o", "b.png", *FAST) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_transparent_pixels_are_filled_with_alpha(folder: Path) -> None:
    photo = Photo.open("photo.png")
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[HOLE] = 0
    Path("cut.png").write_bytes(png(np.dstack([photo.pixels, alpha])))
    assert run("fill", "cut.png", "--alpha", *FAST) == 0
    filled = Photo.open("cut.filled.png")
    assert filled.alpha is not None and (filled.alpha == 255).all()
    assert run("fill", "photo.png", "--alpha", *FAST) == 4


def test_a_mask_that_marks_nothing_is_an_error_with_what_is_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.png").write_bytes(png(np.full((HEIGHT, WIDTH), 7, np.uint8)))
    assert run("fill", "photo.png", "empty.png", "-o", "out.png", *FAST) == 4
    assert "its values are 7," in capsys.readouterr().err
    assert not Path("out.png").exists()


def test_format_follows_the_name_the_flag_and_else_the_photo(folder: Path) -> None:
    assert run("fill", "photo.jpg", "mask.png", "-o", "a.png", *FAST) == 0
    assert run("fill", "photo.jpg", "mask.png", "-o", "b", *FAST) == 0
    assert run("fill", "photo.jpg", "mask.png", "--format", "webp", "--quality", "60", *FAST) == 0
    assert [Photo.open(name).format for name in ("a.png", "b", "photo.filled.webp")] == [
        "PNG",
        "JPEG",
        "WEBP",
    ]


def test_report_steps_and_settings_files(folder: Path) -> None:
    options = ["--seed", "7", "--report", "r.json", "--steps", "steps", "--save-settings", "s.json"]
    assert run("fill", "photo.png", "mask.png", "-o", "a.png", *options, *FAST) == 0
    report = json.loads(Path("r.json").read_text())
    assert report["seed"] == 7 and report["settings"]["preset"] == "fast" and report["output"] == "a.png"
    assert report["seconds"] > 0 and report["windows"]
    assert Photo.open(next(Path("steps").iterdir())).format == "PNG"
    for settings in ("s.json", "r.json"):  # both repeat the fill
        assert run("fill", "photo.png", "mask.png", "-f", "-o", "b.png", "--settings", settings) == 0
        assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert run("fill", "photo.png", "mask.png", "-f", "-o", "c.png", "--settings", "s.json", "--seed", "8") == 0
    assert Path("a.png").read_bytes() != Path("c.png").read_bytes()


def test_versions_are_the_fills_of_the_next_seeds_and_a_sheet(folder: Path) -> None:
    assert run("fill", "photo.png", "mask.png", *FAST, "--versions", "3", "--seed", "5", "--report", "r.json") == 0
    written = [Path(f"photo.filled-{number}.png").read_bytes() for number in (1, 2, 3)]
    assert run("fill", "photo.png", "mask.png", *FAST, "--seed", "7", "-o", "alone.png") == 0
    assert written[2] == Path("alone.png").read_bytes() and len(set(written)) == 3
    with Image.open("photo.filled-versions.png") as sheet:
        assert sheet.width > sheet.height / 2 > 20
    report = json.loads(Path("r.json").read_text())
    assert [each["settings"]["seed"] for each in report["versions"]] == [5, 6, 7]
    assert run("fill", "photo.png", "mask.png", *FAST, "--versions", "2") == 7, "the first is there already"
    assert run("fill", "photo.png", "mask.png", *FAST, "--versions", "2", "-o", "-") == 2


def test_growth_can_follow_the_size_of_the_photo(folder: Path) -> None:
    assert run("fill", "photo.png", "mask.png", *FAST, "--grow", "auto", "-o", "auto.png") == 0
    assert run("fill", "photo.png", "mask.png", *FAST, "--grow", "1", "-o", "one.png") == 0
    assert Path("auto.png").read_bytes() == Path("one.png").read_bytes()
    assert run("fill", "photo.png", "mask.png", *FAST, "--grow", "much", "-o", "x.png") == 2


def test_a_coarse_picture_is_followed(folder: Path) -> None:
    painted = Photo.open("photo.png").pixels.copy()
    painted[HOLE] = 255
    Path("other tool.png").write_bytes(png(painted))
    assert run("fill", "photo.png", "mask.png", "-o", "a.png", "--coarse", "other tool.png", *FAST) == 0
    assert run("fill", "photo.png", "mask.png", "-o", "b.png", *FAST) == 0
    assert Path("a.png").read_bytes() != Path("b.png").read_bytes()
    Path("small.png").write_bytes(png(painted[:20]))
    assert run("fill", "photo.png", "mask.png", "-o", "c.png", "--coarse", "small.png", *FAST) == 4
    assert run("fill", "photo.png", "mask.png", "-o", "d.png", "--content", "other tool.png", *FAST) == 3


def test_texture_comes_only_from_the_source(folder: Path) -> None:
    """Left half dark, right half light; told to copy from the right only, the hole on the left becomes light."""
    halves = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    halves[:, WIDTH // 2 :] = 220
    Path("halves.png").write_bytes(png(halves))
    right = np.zeros((HEIGHT, WIDTH), np.uint8)
    right[:, WIDTH // 2 + 4 :] = 255
    Path("right.png").write_bytes(png(right))
    assert run("fill", "halves.png", "--box", "8,20,20,20", "--source", "right.png", *FAST) == 0
    assert Photo.open("halves.filled.png").pixels[24:36, 12:24].mean() > 200


def test_dry_run_checks_everything_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.iterdir())
    assert run("fill", "photo.jpg", "mask.png", "--dry-run", *FAST) == 0
    said = capsys.readouterr().err
    assert (
        "JPEG, 96 x 72" in said and "2.8 % to fill, in 1 part" in said and "would write photo.filled.jpg" in said
    )
    assert sorted(folder.iterdir()) == before
    assert run("fill", "photo.jpg", "nothing.png", "--dry-run") == 4


def _broken_files(folder: Path) -> None:
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("this is no picture")
    (folder / "short.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:900])
    (folder / "turned.png").write_bytes(png(np.zeros((WIDTH, HEIGHT), np.uint8)))
    (folder / "full.png").write_bytes(png(np.full((HEIGHT, WIDTH), 255, np.uint8)))
    (folder / "there.png").write_bytes(b"precious")
    (folder / "bad.json").write_text('{"sead": 1}')
    (folder / "nan.json").write_text('{"texture_weight": NaN}')
    (folder / "no.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fill"], 2, "Missing argument"),
        (["fil"], 2, "No such command 'fil'. Did you mean 'fill'?"),
        (["fill", "photo.png"], 2, "Say what to fill"),
        (["fill", "photo.png", "mask.png", "--no-such-flag"], 2, "No such option"),
        (["fill", "-", "-"], 2, "standard input"),
        (["fill", "photo.png", "--box", "1,2,3"], 2, "x,y,width,height"),
        (["fill", "photo.png", "mask.png", "--seed", "-1"], 2, "not in the range"),
        (["fill", "photo.png", "mask.png", "--grow", "9999999"], 2, "not in the range"),
        (["fill", "photo.png", "mask.png", "--texture-weight", "nan"], 2, "texture_weight is nan"),
        (["fill", "photo.png", "mask.png", "--texture-weight", "1e309"], 2, "range"),
        (["fill", "photo.png", "mask.png", "--quality", "101"], 2, "101 is not in the range"),
        (["fill", "photo.png", "mask.png", "--preset", "swift"], 2, "is not one of"),
        (["fill", "photo.png", "mask.png", "--settings", "bad.json"], 2, "no setting 'sead'"),
        (["fill", "photo.png", "mask.png", "--settings", "nan.json"], 2, "texture_weight is nan"),
        (["fill", "photo.png", "mask.png", "--settings", "no.json"], 2, "is not JSON"),
        (["fill", "photo.png", "mask.png", "--settings", "gone.json"], 2, "cannot be read"),
        (["fill", "gone.jpg", "mask.png"], 3, "There is no file 'gone.jpg'"),
        (["fill", "empty.jpg", "mask.png"], 3, "'empty.jpg' is empty"),
        (["fill", "text.png", "mask.png"], 3, "'text.png' is not a picture"),
        (["fill", "short.jpg", "mask.png"], 3, "'short.jpg' is cut short"),
        (["fill", ".", "mask.png"], 3, "is a folder"),
        (["info", "text.png"], 3, "is not a picture"),
        (["fill", "photo.png", "gone.png"], 4, "There is no file 'gone.png'"),
        (["fill", "photo.png", "turned.png"], 4, "has 72 x 96 pixels, the photo 96 x 72"),
        (["fill", "photo.png", "full.png", *FAST], 4, "mask"),
        (["fill", "photo.png", "--box", "500,0,5,5"], 4, "outside the photo"),
        (["fill", "photo.png", "mask.png", "--mask-mode", "alpha"], 4, "no transparency"),
        (["fill", "photo.png", "mask.png", "--time-limit", "0.000001", *FAST], 5, "longer than"),
        (["fill", "photo.png", "mask.png", "-o", "there.png"], 7, "exists already"),
        (["fill", "photo.png", "mask.png", "-o", "gone/a.png"], 7, "no folder 'gone'"),
        (["fill", "photo.png", "mask.png", "-o", "."], 7, "is a folder"),
        (["fill", "photo.png", "mask.png", "-o", "new/"], 7, "'new/' is a folder's name"),
        (["fill", "photo.png", "mask.png", "--report", "new/"], 7, "'new/' is a folder's name"),
        (["fill", "photo.png", "mask.png", "--save-settings", "new/"], 7, "'new/' is a folder's name"),
        (["mask", "mask.png", "-o", "new/"], 7, "'new/' is a folder's name"),
        (["fill", "photo.png", "mask.png", "-o", "a.jgp"], 7, "the ending of no format, '.jgp'"),
        (["harmonise", "photo.png", "mask.png", "-o", "a.jgp"], 7, "the ending of no format, '.jgp'"),
        (["mask", "mask.png", "-o", "a.jgp"], 7, "a PNG"),
        (["fill", "photo.png", "mask.png", "--report", "there.png"], 7, "exists already"),
        (["fill", "photo.png", "mask.png", "--steps", "there.png", *FAST], 7, "cannot be created"),
        (["mask", "mask.png", "-o", "there.png"], 7, "exists already"),
        (["demo", "--out", "there.png"], 7, "cannot be created"),
    ],
)
def test_mistakes_end_with_one_sentence_and_the_right_code(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    _broken_files(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert words in " ".join(err.split()) and "Traceback" not in err and out == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_mistakes_are_json_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fill", "gone.jpg", "mask.png", "--json") == 3
    failed = json.loads(capsys.readouterr().err)
    assert failed["event"] == "failed" and failed["code"] == "bad_photo" and failed["hint"]
    assert run("fill", "photo.png", "mask.png", "--json", *FAST) == 0
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert "fill_started" in events and "level_done" in events and "fill_done" in events


def test_a_bug_of_ours_is_a_sentence_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import patchloom.inpainter

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(patchloom.inpainter.Inpainter, "inpaint", broken)
    assert run("fill", "photo.png", "mask.png", *FAST) == 1
    assert "ZeroDivisionError: of all things" in capsys.readouterr().err

    def hungry(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(patchloom.inpainter.Inpainter, "inpaint", hungry)
    assert run("fill", "photo.png", "mask.png", *FAST) == 5
    assert "not enough memory" in capsys.readouterr().err
    assert not Path("photo.filled.png").exists()


def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError("No module named 'fastapi'", name="fastapi")

    monkeypatch.setattr(cli.importlib, "import_module", absent)
    assert run("serve") == 2
    assert "pip install 'patchloom[web]'" in capsys.readouterr().err


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from patchloom import cli; cli.run(['--help'])\n"
        "heavy = {'torch', 'numpy', 'numba', 'scipy', 'PIL', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    code = "import sys, patchloom.filling; assert 'torch' not in sys.modules"  # bad input is told without it
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    seconds = []
    for _ in range(3):
        before = os.times()
        assert program("--help").returncode == 0
        after = os.times()  # of the processor, which a busy machine does not stretch
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) < 0.3


def test_help_lists_every_command_every_exit_code_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", text, re.MULTILINE)
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 130):
        assert re.search(rf"^ +{code} ", text.partition("Exit codes:")[2], re.MULTILINE)
    assert "patchloom fill photo.jpg mask.png" in text


def test_fill_help_has_a_flag_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import fields

    from patchloom import FillSettings, RunSettings

    assert run("fill", "--help") == 0
    text = capsys.readouterr().out
    for item in (*fields(FillSettings), *fields(RunSettings)):
        assert f"--{item.name.replace('_', '-')}" in text
    assert text.index("--preset") < text.index("Method:")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_load(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", shell) == 0
    script = capsys.readouterr().out
    assert "_PATCHLOOM_COMPLETE" in script
    try:
        checked = subprocess.run([shell, "-n"], input=script.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert checked.returncode == 0, checked.stderr


def test_completion_completes() -> None:
    words = {"COMP_WORDS": "patchloom fi", "COMP_CWORD": "1", "_PATCHLOOM_COMPLETE": "bash_complete"}
    assert b"plain,fill" in program(env={**os.environ, **words}).stdout


def test_pipes_carry_pictures_only(folder: Path) -> None:
    photo = (folder / "photo.jpg").read_bytes()
    done = program("fill", "-", "mask.png", "-o", "-", *FAST, input=photo)
    assert done.returncode == 0
    assert Photo.open(done.stdout).format == "JPEG" and done.stderr
    done = program("mask", "-", "--invert", "-o", "-", "-q", input=(folder / "mask.png").read_bytes())
    assert Photo.open(done.stdout).format == "PNG" and done.stderr == b""
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_and_a_full_disk_are_no_tracebacks(
    folder: Path, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "patchloom", "mask", "mask.png", "--grow", "3", "-o", "-"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 7 and b"Traceback" not in done.stderr
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 7 and b"no space left" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_a_picture_is_not_lost_because_nothing_can_be_said(folder: Path, where: str) -> None:
    fill = f"'{sys.executable}' -m patchloom fill photo.png mask.png {' '.join(FAST)}"
    assert subprocess.run(f"{fill} -o a.png {where}", shell=True, check=False).returncode == 0
    piped = subprocess.run(f"{fill} -o - {where}", shell=True, check=False, stdout=subprocess.PIPE)
    assert piped.stdout == Path("a.png").read_bytes()


def test_a_pipe_needs_no_force_and_a_mask_no_other_ending(folder: Path) -> None:
    if os.name == "posix":
        assert program("mask", "mask.png", "--grow", "2", "-q", "-o", "/dev/stdout").stdout[1:4] == b"PNG"
    for name in ("a.gif", "a.jpg"):
        assert run("mask", "mask.png", "--grow", "2", "-o", name) == 7
        assert not Path(name).exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    assert run("fill", "photo.png", "mask.png", "-o", "locked/a.png", *FAST) == 7
    assert "cannot be written: permission denied" in capsys.readouterr().err


def test_a_folder_that_takes_no_files_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As above, for root as well: the system refuses to create the temporary file."""
    import tempfile

    real = tempfile.TemporaryFile

    def refused(*arguments: Any, **options: Any) -> Any:
        if options.get("dir") is not None and Path(options["dir"]).resolve() == folder:
            raise PermissionError(13, "Permission denied")
        return real(*arguments, **options)

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    assert run("fill", "photo.png", "mask.png", *FAST) == 7
    said = capsys.readouterr().err
    assert "'photo.filled.png' cannot be written: permission denied" in said
    assert "filled in" not in said, "said before the work"


def test_a_result_that_cannot_be_written_after_all_is_left_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: Any
) -> None:
    import tempfile

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).name == "photo.filled.png" and elsewhere not in Path(target).parents:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert run("fill", "photo.png", "mask.png", *FAST) == 7
    said = capsys.readouterr().err
    assert "no space left" in said
    rescued = next(elsewhere.rglob("photo.filled.png"))
    assert str(rescued) in said
    assert Photo.open(rescued).width == WIDTH
    assert not Path("photo.filled.png").exists()


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs a terminal")
def test_a_picture_is_not_written_to_a_terminal(folder: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "patchloom", "fill", "photo.png", "mask.png", "-o", "-"]
    done = subprocess.run(command, stdout=follower, stderr=subprocess.PIPE, check=False)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 7 and b"not written to a terminal" in done.stderr


def test_names_with_spaces_and_from_all_languages(folder: Path) -> None:
    for name in ("my photo (1).png", "Übergröße.png", "写真.png", "صورة.png", "-dash.png"):
        (folder / name).write_bytes((folder / "photo.png").read_bytes())
        assert run("fill", *FAST, "--", name, "mask.png") == 0
        assert (folder / name.replace(".png", ".filled.png")).exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_fill_and_leaves_nothing(folder: Path) -> None:
    rng = np.random.default_rng(0)
    Path("large.png").write_bytes(png(rng.integers(0, 255, (700, 900, 3), dtype=np.uint8)))
    command = [sys.executable, "-m", "patchloom", "fill", "large.png", "--box", "250,150,400,400"]
    before = sorted(folder.iterdir())
    process = subprocess.Popen(
        [*command, "--preset", "best", "--no-progress"],
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # a background shell ignores it
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"to fill" in line:  # the work has begun
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    code = process.wait(30)
    process.stderr.close()
    assert code == 130 and b"Traceback" not in rest and b"Stopped" in rest
    assert sorted(folder.iterdir()) == before


def test_mask_command_makes_and_changes_masks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hole = Mask.open("mask.png")
    assert run("mask", "mask.png", "--grow", "3", "-o", "a.png") == 0
    np.testing.assert_array_equal(Mask.open("a.png").hole, hole.grow(3).hole)
    assert run("mask", "mask.png", "--shrink", "2", "--invert", "-o", "b.png") == 0
    np.testing.assert_array_equal(Mask.open("b.png").hole, hole.invert().grow(-2).hole)
    assert run("mask", "photo.png", "--box", "40,30,16,12", "-o", "c.png") == 0
    np.testing.assert_array_equal(Mask.open("c.png").hole, hole.hole)
    marked = Photo.open("photo.png").pixels.copy()
    marked[HOLE] = (255, 0, 255)
    Path("marked.png").write_bytes(png(marked))
    assert run("mask", "marked.png", "--from-color", "#fe01ff", "--tolerance", "2", "-o", "d.png") == 0
    np.testing.assert_array_equal(Mask.open("d.png").hole, hole.hole)
    assert run("mask", "photo.png", "--from-alpha", "-o", "e.png") == 4
    assert run("mask", "photo.png", "--from-color", "pink", "-o", "e.png") == 2


def test_info_says_what_a_file_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "photo.jpg", "--json") == 0
    found = {row["property"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert found["format"] == "JPEG, lossy" and found["size"].startswith("96 x 72")
    assert found["coding"] == "4:2:0" and found["EXIF"] == "none"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--preset", "paper"], "vgg19"),
        (["--texture", "compact", "--layers", "relu1_1,relu9_1"], "--layers"),
        (["--content", "nowhere.safetensors"], "nowhere.safetensors"),
    ],
)
def test_a_dry_run_fails_as_the_run_would(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    says: str,
) -> None:
    monkeypatch.setenv("PATCHLOOM_WEIGHTS", str(folder / "none"))
    codes, texts = [], []
    for more in (["--dry-run"], []):
        codes.append(run("fill", "photo.png", "mask.png", *options, *more))
        texts.append(capsys.readouterr().err)
    assert codes == [3, 3]
    assert texts[0] == texts[1] and says in texts[0]
    assert not Path("photo.filled.png").exists()


def test_doctor_says_what_a_cuda_build_without_a_card_costs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for version, says in (("13.0", "saves 4 GB"), (None, "none")):
        monkeypatch.setattr(torch.version, "cuda", version)
        assert run("doctor", "--json") == 0
        found = {row["what"]: row["found"] for row in json.loads(capsys.readouterr().out)}
        assert says in found["cuda"]


def test_doctor_knows_every_extra(capsys: pytest.CaptureFixture[str]) -> None:
    run("doctor", "--json")
    shown = {row.split()[1] for row in re.findall(r"extra \w+", capsys.readouterr().out)}
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert shown == set(project["optional-dependencies"])


def test_doctor_finds_this_environment_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--json") == 0
    found = {row["what"]: row["found"] for row in json.loads(capsys.readouterr().out)}
    assert found["PNG"] == "reads and writes 8 bit and 16 bit"
    assert {"patchloom", "torch", "cpu", "memory", "default networks"} <= set(found)


def test_the_demo_writes_four_pictures_and_takes_the_towers_away(folder: Path) -> None:
    assert run("demo", "--out", "demo", *FAST) == 0
    assert sorted(path.name for path in Path("demo").iterdir()) == [
        "filled.jpg",
        "mask.png",
        "photo.jpg",
        "side-by-side.png",
    ]
    photo, filled = Photo.open("demo/photo.jpg"), Photo.open("demo/filled.jpg")
    hole = Mask.open("demo/mask.png")

    def unrest(picture: Photo) -> float:
        """How much neighbours differ along rows in the sky part of the hole: towers do, sky does not."""
        grey = picture.pixels[:340].mean(axis=2)
        return float(np.abs(np.diff(grey, axis=1))[hole.hole[:340, 1:]].mean())

    assert unrest(filled) < 0.5 * unrest(photo)
    assert run("demo", "--out", "demo", *FAST) == 7
    assert run("demo", "--out", "demo", "--force", "-q", *FAST) == 0
