"""Where the networks' weights are, and how a file becomes a network.

A weights file of ours is a safetensors file whose header carries ``kind`` (which class), ``config`` (its
arguments), and ``card`` (what it is, who made it from what, licence) as JSON: the network is rebuilt from the file
alone. Embedded files lie in ``patchloom/weights``, fetched ones in the user's data folder
(:func:`weights_folder`); each folder has a ``SHA256SUMS`` that the files are checked against. VGG-19 is also read
from other people's files, see :func:`load_texture`.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from patchloom.errors import WeightsError
from patchloom.networks import foreign
from patchloom.networks.calibration import normalise
from patchloom.networks.content import ContentNetwork, PaperContent, ResidualContent
from patchloom.networks.contracts import KNOWN, stated
from patchloom.networks.names import WORDS, file_of, parted
from patchloom.networks.remotes import REMOTES
from patchloom.networks.texture import VARIANTS, Compact, TextureNetwork, Vgg19
from patchloom.outputs import in_place_of
from patchloom.tensors.modes import own_modes

EMBEDDED = Path(__file__).parent.parent / "weights"
SUMS = "SHA256SUMS"
CLASSES: dict[str, dict[str, type[nn.Module]]] = {  # role -> what a file's ``kind`` may name
    "texture": {"Vgg19": Vgg19, "Compact": Compact},
    "content": {"ResidualContent": ResidualContent, "PaperContent": PaperContent},
}

KNOWN_FILES = {  # sha256 of other people's files -> variant of VGG-19
    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44": "torchvision",
    "1b728521b881cbcb893257b7b1c5f57a82990a45a0c0071a75da72296e77891a": "normalised",
}

SUFFIXES = (".onnx", ".pt", ".safetensors")

Network = TypeVar("Network", bound=type[nn.Module])
_BASES: dict[str, type[nn.Module]] = {"texture": TextureNetwork, "content": ContentNetwork}


def register_network(network: Network) -> Network:
    """Makes weights files of the class ``network`` loadable; returns it, so that it serves as a decorator.

    ``network`` is a subclass of TextureNetwork or ContentNetwork. Write a file with :func:`save_network`, and its
    path is a value of the settings ``texture`` or ``content``. The class's module has to be imported before the
    file is read: a file holds weights, never code. Raises WeightsError for a class of another kind.
    """
    role = next((role for role, base in _BASES.items() if issubclass(network, base)), None)
    if role is None:
        raise WeightsError(
            f"{network.__name__} is neither a texture nor a content network.",
            "Derive it from patchloom.networks.texture.TextureNetwork or .content.ContentNetwork.",
        )
    CLASSES[role][network.__name__] = network
    return network


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """An installed weights file: ``texture-compact.safetensors`` is the texture network ``compact``."""

    role: str
    name: str
    path: Path
    sha256: str  # as recorded, "" where nothing is
    embedded: bool

    def card(self) -> dict[str, Any]:
        """What the file is and its licence: the model card in its header, or what is known of a published file."""
        if (published := KNOWN.get(self.sha256)) is not None:
            return {"title": published.title, "licence": published.licence}
        return cast("dict[str, Any]", read_header(self.path).get("card", {}))

    def verify(self) -> str:
        """``verified``: byte for byte what was recorded; ``yours``: put there by the user, so nothing is recorded.

        Raises WeightsError for a file that is damaged."""
        if not self.sha256 and not self.embedded:
            read_header(self.path)
            return "yours"
        if hash_file(self.path) != self.sha256:
            again = f"`patchloom weights fetch {self.name}`" if self.name in REMOTES else "`patchloom weights add`"
            raise WeightsError(
                f"{self.path.name} is damaged: its SHA-256 is not the recorded {self.sha256[:8] or 'one'}.",
                "Reinstall patchloom." if self.embedded else f"Run {again} again.",
            )
        return "verified"


def weights_folder() -> Path:
    """Where fetched weights are stored: $PATCHLOOM_WEIGHTS, or ``weights`` in the user's data folder."""
    override = os.environ.get("PATCHLOOM_WEIGHTS")
    return Path(override) if override else platformdirs.user_data_path("patchloom", False) / "weights"


def installed() -> list[WeightsFile]:
    """Every weights file at hand; an embedded one comes before a fetched one of the same name."""
    return [*_files(EMBEDDED, True), *_files(weights_folder(), False)]


def _files(folder: Path, embedded: bool) -> Iterator[WeightsFile]:
    sums = read_sums(folder)
    for path in sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES):
        role, _, name = path.stem.partition("-")
        if role in CLASSES and name and (role == "content" or path.suffix == ".safetensors"):
            yield WeightsFile(role, name, path, sums.get(path.name, ""), embedded)


def add_content(path: Path, name: str, *, trusted: bool = False) -> WeightsFile:
    """Copies a content network's file into the user's folder as ``name``, its SHA-256 recorded.

    ``trusted``: see :func:`load_content`, by which it is tried first. Raises WeightsError.
    """
    taken = [file for file in installed() if (file.role, file.name) == ("content", name)]
    if taken or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) or name in WORDS["content"]:
        reason = "taken" if taken else "no name of letters, digits, - and _ that is free"
        raise WeightsError(f"'{name}' is {reason}.", "Choose another with {name}.")
    network = load_content(str(path.resolve()), trusted=trusted)
    stored = weights_folder() / f"content-{name}{path.suffix.lower().replace('.pth', '.pt')}"
    stored.parent.mkdir(parents=True, exist_ok=True)
    with in_place_of(stored) as part:
        shutil.copyfile(path, part)
    record_sum(stored, network.sha256)
    return WeightsFile("content", name, stored, network.sha256, False)


def read_sums(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, from a folder's SHA256SUMS (the format of ``sha256sum``)."""
    path = folder / SUMS
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest for digest, name in lines}


def record_sum(path: Path, sha256: str | None) -> None:
    """Write ``path``'s hash into its folder's SHA256SUMS; None takes it out."""
    sums = read_sums(path.parent)
    sums.pop(path.name, None)
    if sha256 is not None:
        sums[path.name] = sha256
    (path.parent / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_network(role: str) -> str | None:
    """The texture or content network used for ``auto``: the embedded one, or None where there is none."""
    return next((file.name for file in installed() if file.role == role and file.embedded), None)


def load_texture(name_or_path: str, device: str | torch.device = "cpu") -> TextureNetwork:
    """The texture network of an installed name (``compact``, ``vgg19``) or of a file, frozen, on ``device``.

    A file may be one of ours, or VGG-19 weights as ``.safetensors`` or ``.pth`` state dict (read with
    ``weights_only=True``). Which training such a file comes from decides colour order, range and mean: it is
    taken from ``@variant`` after the path (``vgg_conv.pth@caffe``), else from the file's known SHA-256, else it
    is torchvision's. Whatever the variant, layers end up on one scale (``networks/calibration.py``). Networks are
    cached. Raises WeightsError.
    """
    network = _load("texture", name_or_path, device)
    assert isinstance(network, TextureNetwork)
    return network


def load_content(
    name_or_path: str, device: str | torch.device = "cpu", *, trusted: bool = False
) -> ContentNetwork:
    """The content network of an installed name or of a file, frozen, on ``device``; cached.

    A file is one of ours, or another program's network as ``.onnx`` or TorchScript, of which more may be stated
    after ``@`` (``contracts.py``). TorchScript can run code: it has to be ``trusted``, recorded or published, or
    its SHA-256 stated. Raises WeightsError, MissingExtra, SettingsError.
    """
    network = _load("content", name_or_path, device, trusted)
    assert isinstance(network, ContentNetwork)
    return network


def _load(role: str, name_or_path: str, device: str | torch.device, trusted: bool = False) -> nn.Module:
    path, how, expected = _find(role, name_or_path)
    stat = path.stat()
    stamp = stat.st_mtime_ns, stat.st_size
    return _load_cached(role, name_or_path, path, how, expected, str(device), trusted, stamp)


def _find(role: str, name_or_path: str) -> tuple[Path, str, str]:
    """(file, what is said of it or "", expected SHA-256 or "") for a name or a path."""
    name, how = parted(name_or_path)
    if role == "texture" and how and how not in VARIANTS:
        raise WeightsError(f"There is no VGG-19 variant '{how}'.", f"Use one of: {', '.join(VARIANTS)}.")
    for file in installed():
        if file.role == role and file.name == name:
            return file.path, how, file.sha256
    path = file_of(name_or_path)
    if path is not None and path.is_file():
        return path, how, ""
    names = ", ".join(file.name for file in installed() if file.role == role) or "none"
    hint = f"Give a weights file, or one of the installed {role} networks: {names}."
    if name in REMOTES and REMOTES[name].role == role:
        hint = f"Run `patchloom weights fetch {name}`, or give the path of its file."
    elif role == "content":
        hint = f"{hint.removesuffix('.')}. A picture to follow is given as 'coarse'."
    raise WeightsError(f"There is no {role} network '{name_or_path[:200]}'.", hint)


@lru_cache(maxsize=8)
@own_modes()
def _load_cached(
    role: str,
    name: str,
    path: Path,
    how: str,
    expected: str,
    device: str,
    trusted: bool,
    stamp: tuple[int, int],
) -> nn.Module:
    sha256 = hash_file(path)
    if expected and sha256 != expected:
        raise WeightsError(
            f"{path.name} is damaged: its SHA-256 is not the recorded {expected[:8]}.",
            "Reinstall patchloom, or fetch the weights again.",
        )
    said, stated_sha256 = stated(how) if role == "content" else ({}, "")
    if stated_sha256 not in ("", sha256):
        raise WeightsError(f"{path.name} is another file than was stated.", f"Its SHA-256 is {sha256}.")
    header = read_header(path)
    network: nn.Module
    if "kind" in header:
        network = _rebuild(path, role, header)
    elif role == "texture":
        variant = how or KNOWN_FILES.get(sha256, "torchvision")
        network = Vgg19.from_state(read_state(path), variant)
        if variant != "normalised":
            normalise(network)
    else:
        network = foreign.load(path, said, sha256, trusted or bool(expected or stated_sha256))
    network.name, network.sha256 = name, sha256  # type: ignore[assignment]
    return network.requires_grad_(False).eval().to(device)


def _rebuild(path: Path, role: str, header: dict[str, Any]) -> nn.Module:
    classes = CLASSES[role]
    if header["kind"] not in classes:
        raise WeightsError(
            f"{path.name} holds a '{header['kind']}', which is no {role} network.",
            "If it is a class of yours, import it before and give it to patchloom.register_network.",
        )
    try:
        network = classes[header["kind"]](**header["config"])
        network.load_state_dict({key: value.float() for key, value in read_state(path).items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path.name} does not fit this version of patchloom: {error}") from error
    return network


def read_header(path: Path) -> dict[str, Any]:
    """``kind``, ``config`` and ``card`` of a weights file of ours; of any other file, an empty dict."""
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        return cast("dict[str, Any]", json.loads(metadata.get("patchloom", "{}")))
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsError(f"{path.name} is no readable safetensors file: {error}") from error


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file or of a .pth state dict (``weights_only=True``). Raises WeightsError."""
    if path.suffix == ".safetensors":
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch raises half a dozen kinds for a file that is no state dict
        raise WeightsError(
            f"{path.name} is no readable weights file.", "Use a .safetensors or .pth state dict."
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path.name} holds no state dict.", "Save the network's state_dict().")
    return {key: value for key, value in state.items() if isinstance(value, Tensor)}


def save_network(module: nn.Module, path: Path, card: dict[str, Any], half: bool = True) -> str:
    """Write ``module`` (it has a ``config``), in half precision by default, with its card. Returns the SHA-256.

    The bytes depend on the weights, config and card only.
    """
    header = {"kind": type(module).__name__, "config": cast("Any", module).config, "card": card}
    state = {
        key: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for key, value in module.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_place_of(path) as part:
        part.write_bytes(save(state, {"patchloom": json.dumps(header, sort_keys=True)}))
    return hash_file(path)
