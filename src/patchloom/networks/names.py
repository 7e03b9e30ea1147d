"""What a setting that chooses a network says: a word, the name of an installed network, or a file.

Told by the text alone, whatever lies in the working folder. Loads no torch.
"""

import re
from pathlib import Path

WORDS = {"content": ("auto", "patches", "none"), "texture": ("auto", "none")}
"""The settings that choose a network, with the words that are not names of networks."""

_ENDINGS = r"\.(?:safetensors|pth|pt|onnx)"
_FILE = re.compile(rf"(?P<file>.*{_ENDINGS})(?:@(?P<how>.*))?", re.IGNORECASE | re.DOTALL)


def parted(choice: str) -> tuple[str, str]:
    """``net.pth@caffe`` -> ("net.pth", "caffe"): the network, and what is said of it."""
    found = _FILE.fullmatch(choice)
    if found is not None:
        return found["file"], found["how"] or ""
    network, _, how = choice.partition("@")
    return network, how


def file_of(choice: str) -> Path | None:
    """The file that ``choice`` names: what has the ending of a weights file, or a folder in it. None for a word or
    a name."""
    network, _ = parted(choice)
    if _FILE.fullmatch(network) or "/" in network or "\\" in network:
        return Path(network).expanduser()
    return None
