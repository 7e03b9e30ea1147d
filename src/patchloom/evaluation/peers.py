"""Who fills the holes: ours in every setting, and the programs a user would otherwise pick. One thin class each.

A *method* is written as a text: a peer's name (``telea``), a preset of ours (``balanced``), a preset with other
settings (``balanced+content=none+iterations=0``), a content network alone
(``content-network``, ``content-network:FILE``, ``lama``) or followed (``lama+patchloom``), and either under a name
of one's own (``fine=balanced+layers=relu1_1``) or with an external program (``lama='lama {image} {mask} {out}'``).

Every peer takes an (H, W, 3) uint8 RGB picture and an (H, W) hole and gives a picture of the same form. Libraries
are imported by the peer that needs them, so that one that is missing costs only its own row.
"""

import dataclasses
import hashlib
import importlib
import json
import shlex
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from PIL import Image

from patchloom import __version__
from patchloom.arrays import Bools, Bytes
from patchloom.errors import MissingExtra, PatchloomError, SettingsError
from patchloom.formats.picture import to_eight_bit
from patchloom.settings import PRESETS, FillSettings, RunSettings, fill_settings

FOLLOWED = "+patchloom"  # behind a content network: what it says is followed


class Peer(ABC):
    """Something that fills holes. Call :meth:`make_ready` once, then ``fill`` as often as you like."""

    about: str = ""

    @property
    def recipe(self) -> str:
        """Changes when the fills will, although the method's text stays the same."""
        return ""

    @abstractmethod
    def prepare(self) -> None:
        """Imports what is needed. Raises a PatchloomError that says what is missing."""

    @abstractmethod
    def fill(self, photo: Bytes, hole: Bools) -> Bytes: ...

    def make_ready(self) -> None:
        """Prepares and fills a small picture, which loads weights and compiles: no fill is timed that does it."""
        self.prepare()
        ramp = np.add.outer(np.arange(96), np.arange(96)).astype(np.uint8)
        hole = np.zeros((96, 96), bool)
        hole[40:56, 40:56] = True
        self.fill(np.dstack([ramp, ramp.T, 255 - ramp]), hole)


def _import(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"{package} is not installed.", "Run: pip install 'patchloom[eval]'.") from error


class OpenCv(Peer):
    """An ``algorithm`` of OpenCV's own."""

    def __init__(self, algorithm: str, about: str) -> None:
        self.algorithm, self.about = algorithm, about

    def prepare(self) -> None:
        self.cv2 = _import("cv2", "OpenCV")

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        filled: Bytes = self.cv2.inpaint(photo, hole.astype(np.uint8), 5, getattr(self.cv2, self.algorithm))
        return filled


class OpenCvContrib(OpenCv):
    """An ``algorithm`` of OpenCV's contrib modules; ``lab``: in L*a*b*."""

    def __init__(self, algorithm: str, about: str, *, lab: bool = False) -> None:
        super().__init__(algorithm, about)
        self.lab = lab

    def prepare(self) -> None:
        super().prepare()
        if not hasattr(self.cv2, "xphoto"):
            raise MissingExtra(
                "This OpenCV is without its contrib modules.", "Run: pip install 'patchloom[eval]'."
            )

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        cv2 = self.cv2
        source = cv2.cvtColor(photo, cv2.COLOR_RGB2Lab) if self.lab else photo
        filled = source.copy()
        known = np.where(hole, 0, 255).astype(np.uint8)
        cv2.xphoto.inpaint(source, known, filled, getattr(cv2.xphoto, self.algorithm))
        filled = cv2.cvtColor(filled, cv2.COLOR_Lab2RGB) if self.lab else filled
        return np.where(hole[..., None], filled, photo)  # the way to Lab and back changes known pixels


class Biharmonic(Peer):
    about = "scikit-image, biharmonic equation"

    def prepare(self) -> None:
        self.restoration = _import("skimage.restoration", "scikit-image")

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        filled = self.restoration.inpaint_biharmonic(photo / 255.0, hole, split_into_regions=True, channel_axis=-1)
        return to_eight_bit(filled)


class PyPatchMatch(Peer):
    about = "PyPatchMatch 2.2 (Barnes et al. 2009), patch radius 5"

    def prepare(self) -> None:
        self.patchmatch = _import("patchmatch", "PyPatchMatch")
        if not self.patchmatch.patchmatch_available:
            raise MissingExtra("PyPatchMatch's compiled library does not load.", "Reinstall pypatchmatch.")
        self.patchmatch.set_verbose(False)
        self.patchmatch.set_random_seed(0)

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        filled: Bytes = self.patchmatch.inpaint(photo, hole, patch_size=5)  # patch_size is the radius there
        return filled


class Membrane(Peer):
    about = "smooth membrane (Laplace's equation), ours"

    def prepare(self) -> None:
        """It is part of us."""

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        from patchloom.tensors.membrane import membrane

        return to_eight_bit(membrane(np.asarray(photo / np.float32(255), np.float32), hole))


class External(Peer):
    """Any program: ``{image}``, ``{mask}`` (white = hole) and ``{out}`` stand for PNG files."""

    def __init__(self, template: str, about: str = "external program") -> None:
        self.words, self.about = shlex.split(template), about
        if not any("{out}" in word for word in self.words):
            raise SettingsError(f"The command '{template}' has no {{out}}.", "Say where it writes its picture.")

    def prepare(self) -> None:
        if shutil.which(self.words[0]) is None:
            raise MissingExtra(
                f"The program '{self.words[0]}' is not installed.", "Install it or drop the method."
            )

    def make_ready(self) -> None:
        self.prepare()  # a program starts anew for every picture

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: str(Path(folder) / f"{name}.png") for name in ("image", "mask", "out")}
            Image.fromarray(photo).save(paths["image"])
            Image.fromarray(hole.astype(np.uint8) * 255).save(paths["mask"])
            command = [_replace(word, paths) for word in self.words]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode or not Path(paths["out"]).exists():
                said = (done.stderr or done.stdout).strip().splitlines() or ["nothing said"]
                raise PatchloomError(f"'{self.words[0]}' failed with exit code {done.returncode}: {said[-1]}")
            with Image.open(paths["out"]) as picture:
                return np.array(picture.convert("RGB"))


def _replace(word: str, paths: dict[str, str]) -> str:
    for name, path in paths.items():
        word = word.replace(f"{{{name}}}", path)
    return word


class Ours(Peer):
    """Our engine with some settings."""

    about = "patchloom"

    def __init__(self, settings: FillSettings, run: RunSettings | None = None) -> None:
        self.settings, self.run = settings, run or RunSettings()

    @property
    def recipe(self) -> str:
        from patchloom.networks.weights import installed

        weights = [file.sha256 for file in installed() if file.embedded or file.name == self.settings.content]
        text = json.dumps([__version__, weights, self.settings.to_dict()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def prepare(self) -> None:
        from patchloom.inpainter import Inpainter

        self.inpainter = Inpainter(self.run)

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        from patchloom.mask import Mask
        from patchloom.photo import Photo

        result = self.inpainter.inpaint(Photo.from_array(photo), Mask.from_array(hole), self.settings)
        return np.asarray(result.photo.pixels, np.uint8)


class ContentAlone(Peer):
    """What the context encoder alone gives, enlarged: how much is left to the patches."""

    def __init__(self, name: str = "", about: str = "a content network alone, enlarged") -> None:
        self.name, self.about = name, about

    def prepare(self) -> None:
        from patchloom.networks.weights import default_network, load_content

        name = self.name or default_network("content")
        if name is None:
            raise MissingExtra("There is no content network.", "Train one: patchloom train content.")
        self.network = load_content(name)

    def fill(self, photo: Bytes, hole: Bools) -> Bytes:
        from patchloom.method.coarse import predict

        return to_eight_bit(predict(self.network, np.asarray(photo / np.float32(255), np.float32), hole))


PEERS: dict[str, Peer] = {
    "telea": OpenCv("INPAINT_TELEA", "OpenCV, fast marching (Telea 2004), radius 5"),
    "navier-stokes": OpenCv("INPAINT_NS", "OpenCV, Navier-Stokes (Bertalmio et al. 2001), radius 5"),
    "biharmonic": Biharmonic(),
    "membrane": Membrane(),
    "pypatchmatch": PyPatchMatch(),
    "shift-map": OpenCvContrib(
        "INPAINT_SHIFTMAP", "OpenCV contrib, statistics of patch offsets (He and Sun 2012)", lab=True
    ),
    "fsr-fast": OpenCvContrib("INPAINT_FSR_FAST", "OpenCV contrib, frequency selective reconstruction, fast"),
    "fsr-best": OpenCvContrib("INPAINT_FSR_BEST", "OpenCV contrib, frequency selective reconstruction, best"),
    "gmic": External(
        "gmic {image} {mask} inpaint_matchpatch[0] [1] remove[1] output {out}",
        "G'MIC inpaint_matchpatch, its own defaults",
    ),
    "content-network": ContentAlone(
        about="our content network alone, enlarged (the context encoder's row); content-network:FILE: another"
    ),
    "lama": ContentAlone("lama", "LaMa alone, on squares of 512 pixels; lama+patchloom: followed by ours"),
    "migan": ContentAlone("migan", "MI-GAN alone, on squares of 512 pixels; migan+patchloom: followed by ours"),
}


@dataclasses.dataclass(frozen=True)
class Method:
    """A peer under a name; ``spec`` is what makes it, so that another process can make it again."""

    name: str
    spec: str

    def peer(self) -> Peer:
        """Raises SettingsError for a spec that means nothing."""
        return _peer(self.spec)


def parse_method(text: str) -> Method:
    """``text`` as in the module's description. Raises SettingsError."""
    name, equals, spec = text.partition("=")
    own_name = bool(equals) and "+" not in name
    method = Method(name, spec) if own_name else Method(text, text)
    if not method.name or "/" in method.name:
        raise SettingsError(f"The method '{text}' has no usable name.", "Write name=... without slashes.")
    method.peer()
    return method


def _peer(spec: str) -> Peer:
    if "{" in spec:
        return External(spec)
    if spec in PEERS:
        return PEERS[spec]
    if spec.startswith("content-network:") and not spec.endswith(FOLLOWED):
        return ContentAlone(spec.partition(":")[2])
    if spec.endswith(FOLLOWED) and isinstance(alone := _peer(spec.removesuffix(FOLLOWED)), ContentAlone):
        return Ours(fill_settings(content=alone.name or "auto"))
    preset, *changes = spec.split("+")
    if preset not in PRESETS:
        known = ", ".join([*PEERS, *PRESETS])
        raise SettingsError(
            f"There is no method '{spec}'.", f"Use one of: {known}, or name='program {{image}} ...'."
        )
    return Ours(fill_settings(preset, **parse_settings(changes)))


def parse_settings(changes: list[str]) -> dict[str, Any]:
    """["iterations=0", ...] as values of the kinds that the settings have. Raises SettingsError."""
    hints, values = get_type_hints(FillSettings), {}
    FillSettings.check_names({change.partition("=")[0]: None for change in changes})
    for change in changes:
        name, _, text = change.partition("=")
        kind = hints[name]
        try:
            values[name] = kind(text) if kind in (int, float) else text
        except ValueError as error:
            raise SettingsError(f"{name} is not a number: '{text}'.", f"Write for example {name}=1.") from error
    return values
