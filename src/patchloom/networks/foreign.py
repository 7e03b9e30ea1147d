"""Other people's inpainting networks (LaMa, MI-GAN) as content networks.

A file is recognised by its inputs and by what it answers to a plain picture: an answer in another range, or a
mask whose sense is the opposite, gives white or the hole's own colour there, without any error.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from patchloom.errors import WeightsError
from patchloom.networks.content import ContentNetwork, Frame, squares
from patchloom.networks.contracts import CONTRACTS, KNOWN, Contract, candidates
from patchloom.networks.runners import OnnxRunner, TorchScriptRunner, is_torchscript
from patchloom.tensors.boxes import bounds, depths

CONTEXT = 2.5  # the side of the square that is shown, in lengths of the hole
LEAST_CONTEXT = 1.5  # where the picture is no larger
LONG = 4.0  # a hole this many times as long as it is thick is a stroke, and shown in several squares
TOLERANCE = 0.15  # of full scale; how far a hole in a plain picture may be from its colour

_PLAIN = (0.35, 0.5, 0.65)


class ForeignNetwork(ContentNetwork):
    """A network that knows what things look like, and fills squares of ``contract.size`` pixels sharply.

    ``runner`` takes tensors as its file's inputs are, and answers with one (N, 3, H, W).
    """

    sharp = True

    def __init__(self, runner: OnnxRunner | TorchScriptRunner, contract: Contract) -> None:
        super().__init__()
        self.runner, self.contract, self.size = runner, contract, contract.size

    def seen(self, side: int) -> int:
        return min(side, self.size) if self.contract.multiple else self.size

    def frames(self, hole: NDArray[np.bool_]) -> list[Frame]:
        """One square round the hole, ``CONTEXT`` times as wide as it is long; along a stroke several, as for a
        hole of its thickness. None is smaller than what the network takes, where the picture is larger."""
        deepest = float(depths(np.pad(hole, 1, mode="edge")).max())
        longest, thickness = max(bounds(hole).size), 2 * deepest
        stroke = longest > LONG * thickness
        reach = thickness if stroke else longest
        most = max(min(hole.shape), math.ceil(LEAST_CONTEXT * reach))
        side = min(max(math.ceil(CONTEXT * reach), self.size), most)
        return squares(hole, side, several=stroke)

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        """(N, 3, H, W): what the network answers, RGB with black 0 and white 1."""
        contract, side = self.contract, image.shape[-1]
        padding = [0, -side % max(contract.multiple, 1)] * 2
        image, hole = (functional.pad(each, padding, mode="reflect") for each in (image, hole))
        picture = _scaled(image, contract.image)
        mask = _scaled(hole, contract.mask)
        if contract.erased:
            picture = picture * (1 - hole)
        if contract.as_bytes:
            picture, mask = picture.round().to(torch.uint8), mask.round().to(torch.uint8)
        given = [mask, picture] if contract.joined or self.runner.inputs.mask_first else [picture, mask]
        answer: Tensor = self.runner(*([torch.cat(given, 1)] if contract.joined else given))
        low, high = contract.output
        return (answer.to(image) - low)[..., :side, :side] / (high - low)


def _scaled(values: Tensor, span: tuple[float, float]) -> Tensor:
    low, high = span
    return low + (high - low) * values


def load(path: Path, said: dict[str, Any], sha256: str, trusted: bool) -> ForeignNetwork:
    """The network of an ONNX or TorchScript file with that ``sha256``; ``said``: what is stated of it
    (``contracts.stated``). TorchScript is run if it is ``trusted``, or a published file. Raises WeightsError."""
    published = KNOWN.get(sha256)
    runner: OnnxRunner | TorchScriptRunner
    if path.suffix.lower() == ".onnx":
        runner = OnnxRunner(path)
    elif not is_torchscript(path):
        raise WeightsError(
            f"{path.name} is neither one of patchloom's weights files nor TorchScript nor ONNX.",
            "Export the network, or train one: `patchloom train content`.",
        )
    elif not trusted and published is None:
        raise WeightsError(
            f"{path.name} is TorchScript: a program, which can do on this machine whatever you can.",
            f"If you trust who made it, add {{trust}}, or name this very file: {path.name}@sha256={sha256}.",
        )
    else:
        runner = TorchScriptRunner(path)
    if published is not None and not said:
        return ForeignNetwork(runner, next(one for one in CONTRACTS if one.name == published.contract))
    return recognised(path, runner, said)


def recognised(path: Path, runner: OnnxRunner | TorchScriptRunner, said: dict[str, Any]) -> ForeignNetwork:
    """The file's network under the contract that it keeps; ``said``: what is stated of it (``contracts.stated``).

    Raises WeightsError where it keeps none.
    """
    inputs = runner.inputs
    if inputs.side is not None:
        said = {**said, "size": inputs.side, "multiple": 0}
    answers = []
    for contract in candidates(said, as_bytes=inputs.as_bytes, joined=inputs.joined):
        network = ForeignNetwork(runner, contract)
        off, outcome = _tried(network)
        answers.append((off, outcome, network))
    off, outcome, network = min(answers, key=lambda answer: answer[0])
    if off > TOLERANCE:
        raise WeightsError(
            f"{path.name} does not keep what is known of such networks: a hole in a plain picture of "
            f"{_named(_PLAIN)} {outcome}.",
            f"State its ranges: {path.name}@image=0..1,mask=0..1,output=0..1,size=512 (docs/networks.md).",
        )
    return network


@torch.no_grad()
def _tried(network: ForeignNetwork) -> tuple[float, str]:
    """How far the middle of a hole in a plain picture is from its colour, in 0..1 (infinite: no picture came), and
    what became of it in words. Under the hole lies another colour, which no answer may have."""
    side = network.size
    plain = torch.tensor(_PLAIN).view(1, 3, 1, 1).expand(1, 3, side, side)
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = 1
    try:
        answer = network._guess(torch.where(hole > 0, 1 - plain, plain), hole)
    except Exception as error:  # whatever the file's own program or its runtime raises
        return math.inf, f"gives an error ({str(error).strip().splitlines()[-1][:120] if str(error) else error!r})"
    if answer.shape != plain.shape:
        return math.inf, f"gives numbers of the shape {tuple(answer.shape)}"
    middle = slice(4 * side // 9, 5 * side // 9)
    found = answer[0, :, middle, middle].mean((1, 2))
    off = float((found - torch.tensor(_PLAIN)).abs().max())
    return off if math.isfinite(off) else math.inf, f"comes back as {_named(found.tolist())}"


def _named(colour: Any) -> str:
    return "RGB " + " ".join(f"{value:.2f}" for value in colour)
