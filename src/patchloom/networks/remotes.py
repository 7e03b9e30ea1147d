"""The networks that ``patchloom weights fetch`` knows. Loads no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on other people's servers: the same bytes at every one of ``mirrors``.

    It is received as ``file``, and is the network ``name`` of a ``role``.
    """

    name: str
    file: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]
    role: str = "texture"
    licence: str = ""


VGG19 = Remote(
    name="vgg19",
    file="vgg19-dcbb9e9d.pth",
    size=574_673_361,
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    mirrors=(
        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        "https://s3.amazonaws.com/pytorch/models/vgg19-dcbb9e9d.pth",
    ),
    licence="BSD-3-Clause (torchvision)",
)

LAMA = Remote(
    name="lama",
    file="content-lama.onnx",
    size=208_044_816,
    sha256="1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6",
    mirrors=(
        "https://huggingface.co/Carve/LaMa-ONNX/resolve/c3c0c9e468934d62e79c329e35d82dd09ff8c444/lama_fp32.onnx",
        "https://huggingface.co/Carve/LaMa-ONNX/resolve/main/lama_fp32.onnx",
    ),
    role="content",
    licence="Apache-2.0",
)

MIGAN = Remote(
    name="migan",
    file="content-migan.onnx",
    size=28_079_181,
    sha256="6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
    mirrors=(
        "https://huggingface.co/andraniksargsyan/migan/resolve/406830d0fa60666da0071c342ad2fbc8f30c5c64/"
        "migan_pipeline_v2.onnx",
        "https://huggingface.co/andraniksargsyan/migan/resolve/main/migan_pipeline_v2.onnx",
    ),
    role="content",
    licence="MIT",
)

REMOTES = {remote.name: remote for remote in (VGG19, LAMA, MIGAN)}
