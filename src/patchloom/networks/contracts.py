"""What other people's inpainting networks take and give: each contract declared once, and stated in a text.

A network is given a square picture, RGB, and a mask; it answers with a picture of the same size. Networks differ
in what black and white are to them, what marks the hole, what lies under it, and which sizes they take.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from patchloom.errors import SettingsError

SHOWN = 512
"""Side of the square that networks are shown where theirs is not fixed. They were trained on 256 or 512 pixels: in
larger squares holes are larger than any they have seen, and structure gets lost."""

Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """``image``, ``output``: what black and white are; ``mask``: what known and hole are.

    ``as_bytes``: numbers are bytes, not floats. ``joined``: there is one input, mask and picture as four channels.
    ``erased``: the hole is 0 in the picture; otherwise the smooth continuation of its rim lies there.
    ``multiple``: sides must be multiples of it; 0: only ``size`` is taken, the side of the square that is shown.
    """

    name: str = ""
    image: Span = (0, 1)
    mask: Span = (0, 1)
    output: Span = (0, 1)
    size: int = SHOWN
    multiple: int = 0
    as_bytes: bool = False
    joined: bool = False
    erased: bool = False


CONTRACTS = (
    # LaMa as TorchScript, as IOPaint and simple-lama-inpainting use it (big-lama.pt)
    Contract(name="lama", multiple=8),
    # LaMa as ONNX (Carve/LaMa-ONNX, lama_fp32.onnx): what it answers is not in the range of what it is given
    Contract(name="lama-onnx", output=(0, 255)),
    # MI-GAN's generator as TorchScript, as IOPaint uses it (migan_traced.pt)
    Contract(name="migan", image=(-1, 1), mask=(0.5, -0.5), output=(-1, 1), joined=True, erased=True),
    # MI-GAN with its own steps before and after as ONNX (migan_pipeline_v2.onnx): white is known
    Contract(name="migan-pipeline", image=(0, 255), mask=(255, 0), output=(0, 255), multiple=1, as_bytes=True),
)


@dataclass(frozen=True)
class Published:
    """A file that many use. ``contract``: the name of the one that it keeps."""

    file: str
    contract: str
    title: str
    licence: str


KNOWN = {
    "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9": Published(
        "big-lama.pt",
        "lama",
        "LaMa (Suvorov et al. 2021, arXiv:2109.07161), as TorchScript",
        "Apache-2.0",
    ),
    "1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6": Published(
        "lama_fp32.onnx",
        "lama-onnx",
        "LaMa (Suvorov et al. 2021, arXiv:2109.07161), as ONNX",
        "Apache-2.0",
    ),
    "6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b": Published(
        "migan_pipeline_v2.onnx", "migan-pipeline", "MI-GAN (Sargsyan et al., ICCV 2023), 512 px, as ONNX", "MIT"
    ),
}
"""Published files by their SHA-256: they need not be tried, and a program among them is run without asking."""

_HOW = "For example FILE@lama-onnx, or FILE@image=-1..1,mask=0..1,output=-1..1,size=256."


def stated(how: str) -> tuple[dict[str, Any], str]:
    """What is said of a network behind its name (``lama-onnx``, ``image=-1..1,output=0..255,sha256=...``): the
    contract's fields that are fixed by it, and the SHA-256, "" where none is given. Raises SettingsError."""
    said: dict[str, Any] = {}
    for part in filter(None, how.split(",")):
        key, equals, text = part.partition("=")
        known = next((contract for contract in CONTRACTS if contract.name == key), None)
        if not equals and known is not None:
            said |= {item.name: getattr(known, item.name) for item in fields(Contract)}
        else:
            said[key] = _value(part, key, text)
    sha256 = said.pop("sha256", "")
    return said, sha256


def candidates(said: dict[str, Any], *, as_bytes: bool, joined: bool) -> list[Contract]:
    """The contracts that a network of such inputs may have and that are as ``said``."""
    fitting = [contract for contract in CONTRACTS if (contract.as_bytes, contract.joined) == (as_bytes, joined)]
    own = Contract(**{"name": "stated", "as_bytes": as_bytes, "joined": joined, **said})
    return list(dict.fromkeys([replace(contract, **said) for contract in fitting] or [own]))


def _value(part: str, key: str, text: str) -> Any:
    """``text`` as the contract's field ``key`` takes it. Raises SettingsError."""
    try:
        if key in ("image", "mask", "output"):
            low, high = (float(end) for end in text.split(".."))
            if low != high:
                return low, high
        elif key in ("size", "multiple") and 0 <= int(text) <= 4096:
            return int(text)
        elif key == "erased" and text in ("yes", "no"):
            return text == "yes"
        elif key == "sha256" and len(text) == 64:
            return text.lower()
    except ValueError:
        pass
    names = ", ".join(contract.name for contract in CONTRACTS)
    raise SettingsError(
        f"'{part[:80]}' says nothing of a network. Known are {names}, and image, mask, output, size, multiple, "
        "erased and sha256.",
        _HOW,
    )
