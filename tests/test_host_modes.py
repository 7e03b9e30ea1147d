"""What a program has set in torch for itself: nothing we compute depends on it, and nothing of it is changed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from patchloom import (
    Inpainter,
    Library,
    Mask,
    Photo,
    Reference,
    RunSettings,
    fill_settings,
    harmonise,
    inpaint,
    library,
    paste,
)
from patchloom.burst import cleared
from patchloom.networks import weights
from patchloom.networks.content import ResidualContent
from patchloom.networks.weights import load_content
from patchloom.training.content import content_trainee
from patchloom.training.data import open_photographs
from patchloom.training.loop import train
from patchloom.training.plan import ContentOptions, Plan

RUN = RunSettings(threads=2)  # the caller's thread and one of ours
QUICK = {"iterations": 2}


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


MODES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "none": nullcontext,
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": partial(torch.autocast, "cpu", torch.bfloat16),
    "float64": partial(default_dtype, torch.float64),
    "another device": partial(torch.device, "meta"),  # as set_default_device does
}


def state() -> tuple[object, ...]:
    kinds = torch.get_default_dtype(), torch.get_default_device(), torch.is_autocast_enabled("cpu")
    return *kinds, torch.is_grad_enabled(), torch.is_inference_mode_enabled()


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A textured photo (H, W, 3) with an object of another colour, and the object's mask."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:96, :120]
    waves = np.dstack([90 + 40 * np.sin(x / 5), 120 + 30 * np.cos(y / 4), 60 + x])
    photo = (waves + random.normal(0, 12, waves.shape)).clip(0, 255).astype(np.uint8)
    mask = np.zeros((96, 120), bool)
    mask[36:60, 40:70] = True
    photo[mask] = photo[mask] // 2 + 60
    return photo, mask


def filled(folder: Path) -> bytes:
    photo, mask = scene()
    return inpaint(photo, mask, run=RUN, **QUICK).tobytes()


def harmonised(folder: Path) -> bytes:
    photo, mask = scene()
    return harmonise(photo, mask, texture_share=0.5, iterations=2, run=RUN).tobytes()


def pasted(folder: Path) -> bytes:
    photo, _ = scene()
    return paste(photo, photo[30:60, 40:60], (60, 40), texture_share=0.5, iterations=2, run=RUN).tobytes()


def cleaned(folder: Path) -> bytes:
    """A burst in which something moves where no other shot shows what is behind it, so that it is filled."""
    pytest.importorskip("cv2")
    blank = np.repeat(np.random.default_rng(1).integers(0, 255, (24, 30, 3), np.uint8), 6, 0).repeat(6, 1)
    shots = [blank.copy() for _ in range(3)]
    shots[0][60:90, 40:70] = (250, 20, 240)
    given = [Reference(Photo.from_array(shot), str(number)) for number, shot in enumerate(shots)]
    mask = Mask(np.pad(np.ones((20, 20), bool), ((100, 24), (120, 40))))
    settings = fill_settings("balanced", **QUICK)
    marked = cleared(given[:2], mask, settings, inpainter=Inpainter(RUN)).photo
    return cleared(given, settings=settings).photo.pixels.tobytes() + marked.pixels.tobytes()


def chosen(folder: Path) -> bytes:
    """Which picture of a library fits, and how well."""
    photo, mask = scene()
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(3):
        Image.fromarray(np.roll(photo, 30 * number + 20, 1)).save(pictures / f"{number}.png")
    library.build(pictures, folder / "library")
    ranked = Library(folder / "library").ranked(Photo.from_array(photo), Mask(mask))
    return repr([(off, Path(one.file).name) for off, one in ranked]).encode()


def trained(folder: Path) -> bytes:
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 255, (18, 20, 3), np.uint8)
        Image.fromarray(noise).resize((150, 140)).save(pictures / f"{number}.png")
    photographs = open_photographs([pictures], folder / "store")
    options = ContentOptions(batch=2)
    plan = Plan(folder=folder / "run", steps=2)
    weights = train(lambda device: content_trainee(photographs, options, plan.seed, device), plan)
    return b"".join(values.numpy().tobytes() for values in load_content(str(weights)).state_dict().values())


WORK = [filled, harmonised, pasted, cleaned, chosen, pytest.param(trained, marks=pytest.mark.slow)]


@pytest.mark.parametrize("work", WORK)
def test_nothing_depends_on_what_the_host_has_set(
    work: Callable[[Path], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = partial(ResidualContent, widths=(8, 16, 16), code=4, dense=32)
    monkeypatch.setattr("patchloom.training.content.ResidualContent", tiny)
    expected = b""
    for name, mode in MODES.items():
        (tmp_path / name).mkdir()
        weights._load_cached.cache_clear()  # so that networks are made in that mode, too
        with mode():
            before = state()
            got = work(tmp_path / name)
            assert state() == before
        expected = expected or got
        assert got == expected, name
