"""A word, a name or a file: told by what is typed, never by what lies in the working folder."""

from pathlib import Path

import numpy as np
import pytest

from patchloom import inpaint
from patchloom.errors import WeightsError
from patchloom.networks.names import WORDS, file_of, parted
from patchloom.settings import FillSettings


@pytest.mark.parametrize(
    ("choice", "file", "how"),
    [
        ("auto", None, ""),
        ("default", None, ""),
        ("lama@output=0..255", None, "output=0..255"),
        ("net.safetensors", "net.safetensors", ""),
        ("NET.PT", "NET.PT", ""),
        ("vgg.pth@caffe", "vgg.pth", "caffe"),
        ("net@2x.pt", "net@2x.pt", ""),
        ("./auto", "auto", ""),
        ("folder/net", "folder/net", ""),
        ("C:\\nets\\auto", "C:\\nets\\auto", ""),
    ],
)
def test_what_a_choice_names(choice: str, file: str | None, how: str) -> None:
    assert file_of(choice) == (None if file is None else Path(file))
    assert parted(choice)[1] == how


def test_files_of_the_working_folder_are_not_chosen_by_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files called as every word and every installed network: fills stay as they are elsewhere."""
    photo = np.add.outer(np.arange(64), 3 * np.arange(64)).astype(np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[24:40, 24:40] = True
    chosen = [("auto", "auto"), ("patches", "none"), ("none", "compact"), ("default", "none")]

    def fills() -> list[bytes]:
        return [inpaint(photo, hole, iterations=1, content=c, texture=t).tobytes() for c, t in chosen]

    elsewhere = fills()
    monkeypatch.chdir(tmp_path)
    for name in {word for words in WORDS.values() for word in words} | {name for pair in chosen for name in pair}:
        Path(name).write_bytes(b"no network, no picture")
    assert fills() == elsewhere
    Path("mine").write_bytes(b"no network")
    with pytest.raises(WeightsError, match="no content network 'mine'"):
        inpaint(photo, hole, content="mine", texture="none")


def test_every_setting_that_chooses_a_network_has_its_words() -> None:
    assert {getattr(FillSettings(), name) for name in WORDS} == {"auto"}
