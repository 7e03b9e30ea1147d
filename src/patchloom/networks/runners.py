"""Other people's network files made callable: ONNX by onnxruntime, TorchScript by torch.

An ONNX file is data: onnxruntime computes what it describes. A TorchScript file is a program, and what it holds is
run with the rights of whoever loads it.
"""

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from patchloom.errors import MissingExtra, WeightsError

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True)
class Inputs:
    """What a file says of its inputs. ``joined``: there is one; ``as_bytes``: they are bytes; ``side``: of the
    only square that it takes; ``mask_first``: the mask is the first of two."""

    joined: bool
    as_bytes: bool = False
    side: int | None = None
    mask_first: bool = False


class OnnxRunner(nn.Module):
    """An ONNX file, on the processor. One thread each: results do not depend on how many there are, and several
    squares are computed at the same time. Raises MissingExtra, WeightsError."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtra(
                f"{path.name} needs onnxruntime, which is not installed.", "Run: pip install 'patchloom[onnx]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a kind of its own for everything that a file may be
            raise WeightsError(f"{path.name} is no network that onnxruntime can read.", _first(error)) from error
        self.inputs = _described(path, self.session.get_inputs())

    def forward(self, *given: Tensor) -> Tensor:
        pairs = zip(self.session.get_inputs(), given, strict=True)
        feed = {item.name: each.cpu().numpy().astype(_TYPES[item.type]) for item, each in pairs}
        return torch.from_numpy(np.asarray(self.session.run(None, feed)[0]))


def _described(path: Path, inputs: list[Any]) -> Inputs:
    """Raises WeightsError where they cannot be a picture and a mask."""
    shapes = [item.shape for item in inputs]
    if not 1 <= len(inputs) <= 2 or any(len(shape) != 4 for shape in shapes):
        described = ", ".join(f"{item.name} {item.shape}" for item in inputs)
        raise WeightsError(
            f"{path.name} takes {described or 'nothing'}: no picture and mask.",
            "An inpainting network takes image (1, 3, H, W) and mask (1, 1, H, W), or both as four channels.",
        )
    if unknown := [item.type for item in inputs if item.type not in _TYPES]:
        raise WeightsError(f"{path.name} takes {unknown[0]}.", "Export it with float32 or uint8 inputs.")
    side = shapes[0][2]
    return Inputs(
        joined=len(inputs) == 1,
        as_bytes=inputs[0].type == "tensor(uint8)",
        side=side if isinstance(side, int) else None,
        mask_first=shapes[0][1] == 1 or (shapes[0][1] != 3 and "mask" in inputs[0].name.lower()),
    )


class TorchScriptRunner(nn.Module):
    """A TorchScript file, which its caller trusts. Raises WeightsError."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have other formats
                self.script: Any = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
            arguments = self.script.forward.schema.arguments
        except Exception as error:  # torch raises half a dozen kinds for a file that it cannot read
            raise WeightsError(f"{path.name} is no network that torch can read.", _first(error)) from error
        if not 2 <= len(arguments) <= 3:
            raise WeightsError(
                f"{path.name} takes {len(arguments) - 1} inputs.",
                "An inpainting network takes a picture and a mask, or both as four channels.",
            )
        self.inputs = Inputs(joined=len(arguments) == 2, mask_first="mask" in arguments[1].name)

    def forward(self, *given: Tensor) -> Tensor:
        jit: Any = torch.jit
        with jit.optimized_execution(False):  # which would take many seconds for each new size
            answer: Tensor = self.script(*given)
        return answer


def is_torchscript(path: Path) -> bool:
    """Whether a file has a program in it, and not weights alone; it is not run."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.partition("/")[2].startswith("code/") for name in archive.namelist())


def _first(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
