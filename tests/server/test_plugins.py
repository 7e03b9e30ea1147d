"""Plug-ins in the real programs, or by the interface that the program calls them through."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from live_server import Live, hole, photo, photo_png
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
BOX = (30, 20, 16, 12)  # x, y, width, height: within the picture of photo()


@pytest.fixture(scope="module")
def gimp(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a GIMP 2.10 whose only foreign plug-in is ours, compiled as its first lines say."""
    missing = [name for name in ("gimp-2.10", "gimptool-2.0", "gcc", "curl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    home = tmp_path_factory.mktemp("gimp")
    environment = os.environ | {
        "HOME": str(home),
        "GIMP2_DIRECTORY": str(home / "gimp"),
        "XDG_CACHE_HOME": str(home),
    }
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "gimp-2.0"], capture_output=True, text=True, check=True
    )
    (home / "gimp" / "plug-ins").mkdir(parents=True)
    source, program = EXAMPLES / "gimp" / "patchloom.c", home / "gimp" / "plug-ins" / "patchloom"
    subprocess.run(["gcc", "-Wall", "-Werror", "-o", program, source, *flags.stdout.split()], check=True)
    return environment


def batch(environment: dict[str, str], folder: Path, script: str) -> str:
    """What a headless GIMP says to a script."""
    command = [
        "gimp-2.10",
        "--no-interface",
        "--no-data",
        "--no-fonts",
        "--batch",
        script,
        "--batch",
        "(gimp-quit 0)",
    ]
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
    )
    return done.stdout


def require_filled(file: Path) -> None:
    """The picture is photo() but for BOX, where it is another."""
    after, before = np.asarray(Image.open(file).convert("RGB")).astype(int), photo().astype(int)
    x, y, width, height = BOX
    selected = np.zeros(before.shape[:2], bool)
    selected[y : y + height, x : x + width] = True
    assert (after == before)[~selected].all()
    assert (after != before)[selected].any(1).mean() > 0.5


def steps(port: int, selects: str) -> str:
    return f"""(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "photo.png" "photo.png")))
                      (layer (car (gimp-image-get-active-layer image))))
        {selects}
        (plug-in-patchloom RUN-NONINTERACTIVE image layer "http://127.0.0.1:{port}")
        (let* ((flat (car (gimp-image-flatten image))))
            (file-png-save RUN-NONINTERACTIVE image flat "out.png" "out.png" 0 9 0 0 0 0 0)))"""


def test_gimp_fills_its_selection(gimp: dict[str, str], real: Live, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo_png())
    x, y, width, height = BOX
    select = f"(gimp-image-select-rectangle image CHANNEL-OP-REPLACE {x} {y} {width} {height})"
    said = batch(gimp, tmp_path, steps(real.port, select))
    assert (tmp_path / "out.png").exists(), said
    require_filled(tmp_path / "out.png")


def test_gimp_says_that_nothing_is_selected(gimp: dict[str, str], real: Live, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo_png())
    assert "select what should go" in batch(gimp, tmp_path, steps(real.port, "(gimp-selection-none image)"))
    assert not (tmp_path / "out.png").exists()


def test_gimp_says_that_no_server_answers(gimp: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo_png())
    assert "No patchloom server answers" in batch(gimp, tmp_path, steps(9, "(gimp-selection-all image)"))


def test_gimp_3_fills_its_selection(real: Live, tmp_path: Path) -> None:
    if shutil.which("gimp-console-3.0") is None:
        pytest.skip("not installed: gimp-console-3.0")
    plug_in = EXAMPLES / "gimp" / "patchloom-gimp3"
    shutil.copytree(plug_in, tmp_path / "gimp" / "plug-ins" / plug_in.name)
    (tmp_path / "photo.png").write_bytes(photo_png())
    x, y, width, height = BOX
    script = f"""(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{tmp_path}/photo.png"))))
        (gimp-image-select-rectangle image CHANNEL-OP-REPLACE {x} {y} {width} {height})
        (plug-in-patchloom #:run-mode RUN-NONINTERACTIVE #:image image
                           #:drawables (car (gimp-image-get-layers image)))
        (gimp-image-flatten image)
        (gimp-file-save RUN-NONINTERACTIVE image "{tmp_path}/out.png" -1))"""
    command = ["gimp-console-3.0", "--no-data", "--no-fonts", "--batch-interpreter=plug-in-script-fu-eval"]
    environment = {"HOME": str(tmp_path), "GIMP3_DIRECTORY": str(tmp_path / "gimp")}
    done = subprocess.run(
        [*command, "--batch", script, "--quit"],
        env=os.environ | environment | {"PATCHLOOM_SERVER": f"http://127.0.0.1:{real.port}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert (tmp_path / "out.png").exists(), done.stdout
    require_filled(tmp_path / "out.png")


KRITA = """
import patchloom_krita
from krita import InfoObject, Krita, Selection

def __main__(arguments):
    photo, out, server, *box = arguments
    document = Krita.instance().openDocument(photo)
    if box:
        selection = Selection()
        selection.select(*map(int, box), 255)
        document.setSelection(selection)
    try:
        patchloom_krita.fill(document, server)
    except OSError as error:
        print("said:", error, flush=True)
    document.setBatchmode(True)
    document.exportImage(out, InfoObject())
"""


def krita(folder: Path, server: str, *box: int) -> str:
    """What a headless Krita says to the script above, which writes out.png; all files lie in ``folder``."""
    if shutil.which("kritarunner") is None or not Path("/usr/lib/python3/dist-packages/PyQt5").exists():
        pytest.skip("not installed: krita, python3-pyqt5")
    (folder / "drive.py").write_text(KRITA)
    (folder / "photo.png").write_bytes(photo_png())
    paths = f"{folder}:{EXAMPLES / 'krita'}"
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    home["PATH"] = "/usr/bin:/bin"  # Krita's Python looks for its modules beside the first python3 of the path
    done = subprocess.run(
        ["kritarunner", "-s", "drive", folder / "photo.png", folder / "out.png", server, *map(str, box)],
        env=os.environ | home | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
    )
    return done.stdout


def test_krita_fills_its_selection(real: Live, tmp_path: Path) -> None:
    said = krita(tmp_path, f"http://127.0.0.1:{real.port}", *BOX)
    assert (tmp_path / "out.png").exists(), said
    require_filled(tmp_path / "out.png")


def test_krita_says_that_nothing_is_selected(tmp_path: Path) -> None:
    assert "select what should go" in krita(tmp_path, "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def node() -> Any:
    spec = importlib.util.spec_from_file_location("patchloom_node", EXAMPLES / "comfyui" / "patchloom_node.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.NODE_CLASS_MAPPINGS["PatchloomFill"]


def test_comfyui_s_node_fills_a_batch(node: Any) -> None:
    """Called as ComfyUI calls it: by name, with what INPUT_TYPES declares; an answer for each of RETURN_TYPES."""
    declared = node.INPUT_TYPES()
    images = torch.from_numpy(np.stack([photo(), photo()[:, ::-1]]).astype(np.float32) / 255)
    mask = torch.from_numpy(hole() > 0).float()
    given = {"image": images, "mask": mask, "preset": declared["required"]["preset"][0][1], "seed": 1, "grow": 0}
    assert set(given) == set(declared["required"])
    answers = getattr(node(), node.FUNCTION)(**given)
    assert len(answers) == len(node.RETURN_TYPES) == 1
    filled, known = answers[0], mask == 0
    assert (filled.shape, filled.dtype) == (images.shape, images.dtype)
    assert torch.equal(filled[:, known], images[:, known])
    assert (filled[:, ~known] != images[:, ~known]).any()
    # Two coarse pictures, one that has the hole's colours of another place: each fill is nearer to its own.
    others = images.flip(1)
    fills = [getattr(node(), node.FUNCTION)(**given, coarse=coarse)[0] for coarse in (images, others)]
    for coarse, own, other in ((images, *fills), (others, *reversed(fills))):
        assert (own - coarse)[:, ~known].abs().mean() < (other - coarse)[:, ~known].abs().mean()
