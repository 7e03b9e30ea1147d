"""Networks with exactly the contracts of LaMa and MI-GAN, which fill every row with the mean of what it shows.

A picture of stripes comes back whole from a network that was given the right ranges, mask, colours and places, and
from no other. The scripts refuse what the real networks were not made for.
"""

import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

FLOAT, BYTES = TensorProto.FLOAT, TensorProto.UINT8


class Rows(nn.Module):
    def forward(self, image: Tensor, known: Tensor) -> Tensor:
        mean = (image * known).sum(3, keepdim=True) / known.sum(3, keepdim=True).clamp_min(1.0)
        return image * known + mean * (1 - known)


class Lama(nn.Module):
    """big-lama.pt: any sides that are multiples of 8, picture 0..1, mask 1 in the hole; 0..``top`` comes back."""

    def __init__(self, top: float = 1.0, low: float = 0.0, hole: float = 1.0) -> None:
        super().__init__()
        self.rows, self.top, self.low, self.hole = Rows(), top, low, hole

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        assert image.size(2) % 8 == 0 and image.size(3) % 8 == 0, "sides are multiples of 8"
        assert image.min() >= 0 and image.max() <= 1, "0 to 1"
        assert bool(((mask == 0) | (mask == 1)).all()), "0 or 1"
        filled = self.rows(image, (mask != self.hole).float())
        return self.low + (self.top - self.low) * filled


class Migan(nn.Module):
    """migan_traced.pt: 512 px, 0.5 - mask and the picture in -1..1, 0 in the hole; -1..1 comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()

    def forward(self, joined: Tensor) -> Tensor:
        assert list(joined.shape) == [1, 4, 512, 512], "512 px"
        mask, image = 0.5 - joined[:, :1], joined[:, 1:]
        assert bool(((mask == 0) | (mask == 1)).all()), "0.5 or -0.5"
        assert bool((image * mask == 0).all()), "erased"
        assert image.min() >= -1 and image.max() <= 1, "-1 to 1"
        return self.rows(image, 1 - mask)


def torchscript(network: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network.eval()).save(str(path))
    return path


def lama_onnx(path: Path) -> Path:
    """lama_fp32.onnx: 512 px, picture 0..1, mask 1 in the hole; 0..255 comes back."""
    sides = [1, 3, 512, 512], [1, 1, 512, 512]
    nodes = [
        helper.make_node("Clip", ["image", "zero", "one"], ["seen"]),
        helper.make_node("Sub", ["one", "mask"], ["known"]),
        *_rows("seen", "known", "filled"),
        helper.make_node("Mul", ["filled", "white"], ["output"]),
    ]
    return _saved(path, nodes, FLOAT, sides, "output")


def migan_onnx(path: Path) -> Path:
    """migan_pipeline_v2.onnx: bytes, any sides, mask 255 where known; bytes come back."""
    sides = [1, 3, "height", "width"], [1, 1, "height", "width"]
    nodes = [
        helper.make_node("Cast", ["image"], ["seen"], to=FLOAT),
        helper.make_node("Cast", ["mask"], ["shades"], to=FLOAT),
        helper.make_node("Div", ["shades", "white"], ["known"]),
        *_rows("seen", "known", "filled"),
        helper.make_node("Clip", ["filled", "zero", "white"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["result"], to=BYTES),
    ]
    return _saved(path, nodes, BYTES, sides, "result")


def _rows(image: str, known: str, to: str) -> list[Any]:
    """What :class:`Rows` does."""
    steps = [
        ("Mul", [image, known], "kept"),
        ("ReduceSum", ["kept", "across"], "sums"),
        ("ReduceSum", [known, "across"], "counts"),
        ("Max", ["counts", "one"], "divisors"),
        ("Div", ["sums", "divisors"], "means"),
        ("Sub", ["one", known], "hidden"),
        ("Mul", ["means", "hidden"], "painted"),
        ("Add", ["kept", "painted"], to),
    ]
    return [helper.make_node(kind, given, [name]) for kind, given, name in steps]


def _saved(path: Path, nodes: list[Any], kind: int, sides: tuple[list[Any], list[Any]], output: str) -> Path:
    inputs = [
        helper.make_tensor_value_info(name, kind, shape)
        for name, shape in zip(("image", "mask"), sides, strict=True)
    ]
    constants = [
        helper.make_tensor(name, FLOAT, [], [value]) for name, value in (("zero", 0), ("one", 1), ("white", 255))
    ]
    constants.append(helper.make_tensor("across", TensorProto.INT64, [1], [3]))
    outputs = [helper.make_tensor_value_info(output, kind, sides[0])]
    graph = helper.make_graph(nodes, "standin", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
