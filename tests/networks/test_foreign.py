"""Other people's networks: contracts are kept, told from one another, and what is no such network is refused."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from standins import Lama, Migan, lama_onnx, migan_onnx, torchscript

from patchloom import RunSettings, inpaint
from patchloom.cli import run as run_cli
from patchloom.errors import MissingExtra, SettingsError, WeightsError
from patchloom.evaluation.peers import ContentAlone, Ours, parse_method
from patchloom.method.coarse import network_fill, predict
from patchloom.method.pyramid import Level
from patchloom.networks.content import ContentNetwork
from patchloom.networks.contracts import KNOWN
from patchloom.networks.foreign import ForeignNetwork
from patchloom.networks.remotes import REMOTES
from patchloom.networks.weights import hash_file, load_content, weights_folder
from patchloom.server.schema import checked_settings
from patchloom.settings import fill_settings

MAKERS: dict[str, Callable[[Path], Path]] = {
    "lama": lambda path: torchscript(Lama(), path.with_suffix(".pt")),
    "migan": lambda path: torchscript(Migan(), path.with_suffix(".pt")),
    "lama-onnx": lambda path: lama_onnx(path.with_suffix(".onnx")),
    "migan-pipeline": lambda path: migan_onnx(path.with_suffix(".onnx")),
}


def stripes(height: int, width: int) -> NDArray[np.float32]:
    """Rows of one colour each, in stripes of about 40 pixels, smooth enough to be brought to another size."""
    y = np.arange(height) / 40
    rows = 0.5 + 0.35 * np.sin(2 * np.pi * np.stack([y, 1.3 * y + 0.3, 0.7 * y + 0.6], 1))
    return np.repeat(rows[:, None], width, 1).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("standins")
    return {name: make(folder / name) for name, make in MAKERS.items()}


def loaded(path: Path, how: str = "") -> ForeignNetwork:
    network = load_content(f"{path}{how}", trusted=True)
    assert isinstance(network, ForeignNetwork)
    return network


@pytest.mark.parametrize("size", [(700, 900), (520, 640), (180, 150)])
@pytest.mark.parametrize("name", MAKERS)
def test_ranges_mask_colours_places_and_sizes(files: dict[str, Path], name: str, size: tuple[int, int]) -> None:
    """Stripes through the hole come back: larger than what the network sees, about as large, and smaller."""
    network = loaded(files[name])
    assert network.contract.name == name
    truth = stripes(*size)
    hole = np.zeros(size, bool)
    hole[size[0] // 4 : size[0] // 2, size[1] // 3 : size[1] // 2] = True
    filled = predict(network, np.where(hole[..., None], np.float32(0.9), truth), hole)
    np.testing.assert_array_equal(filled[~hole], truth[~hole])
    assert np.abs(filled - truth)[hole].max() < 0.06 and np.abs(filled - truth)[hole].mean() < 0.01
    coarse = network_fill(Level(truth, hole, ~hole), network)
    assert coarse.resolution == (1.0 if min(size) <= 512 else pytest.approx(512 / 525, rel=0.05))


def test_a_stroke_is_seen_in_several_squares_and_blended(files: dict[str, Path]) -> None:
    truth = stripes(1600, 600)
    hole = np.zeros((1600, 600), bool)
    hole[100:1500, 250:320] = True
    network = loaded(files["lama"])
    frames = network.frames(hole)
    assert len(frames) > 2 and all(len(rows) == 512 for rows, _ in frames)
    assert set(np.concatenate([rows for rows, _ in frames])) >= set(range(100, 1500))
    np.testing.assert_allclose(predict(network, truth, hole), truth, atol=0.02)


def test_a_hole_is_seen_whole_with_its_surroundings(files: dict[str, Path]) -> None:
    network = loaded(files["lama"])
    hole = np.zeros((2000, 3000), bool)
    hole[700:1000, 1000:1600] = True  # twice as long as high: still one thing
    ((rows, columns),) = network.frames(hole)
    assert len(rows) == len(columns) == 1500
    assert rows[0] >= 0 and columns[0] <= 700 and columns[-1] >= 1900
    hole[:] = False
    hole[:900, :900] = True  # in the corner, and nearly as large as the picture
    ((rows, columns),) = network.frames(hole[:1000, :1000])
    assert len(rows) == 1350 and rows[0] < 0, "mirrored beyond the border"


def test_other_ranges_are_found_out_stated_or_refused(tmp_path: Path) -> None:
    """A network that answers in another range gives no error by itself: white, or noise."""
    truth = stripes(512, 512)
    hole = np.zeros((512, 512), bool)
    hole[200:300, 200:300] = True
    assert loaded(torchscript(Lama(top=255.0), tmp_path / "bytes.pt")).contract.name == "lama-onnx"
    odd = torchscript(Lama(low=-1.0), tmp_path / "odd.pt")
    with pytest.raises(WeightsError, match=r"plain picture of RGB 0\.35 0\.50 0\.65 comes back as"):
        loaded(odd)
    np.testing.assert_allclose(predict(loaded(odd, "@output=-1..1"), truth, hole), truth, atol=0.02)
    inverted = torchscript(Lama(hole=0.0), tmp_path / "inverted.pt")
    with pytest.raises(WeightsError, match=r"comes back as RGB 0\.65"):
        loaded(inverted)
    np.testing.assert_allclose(predict(loaded(inverted, "@mask=1..0"), truth, hole), truth, atol=0.02)


@pytest.mark.parametrize(
    "how", ["lama2", "output=", "output=1..1", "size=x", "size=-1", "sha256=12", "=", "name=x"]
)
def test_what_is_stated_is_checked(files: dict[str, Path], how: str) -> None:
    with pytest.raises(SettingsError, match="Known are lama, lama-onnx"):
        loaded(files["lama"], f"@{how}")


def test_a_contract_that_was_stated_is_not_guessed(files: dict[str, Path]) -> None:
    assert loaded(files["lama"], "@lama,size=256").size == 256
    with pytest.raises(WeightsError, match="comes back"):
        loaded(files["lama"], "@lama-onnx")


def test_torchscript_is_run_only_when_it_is_trusted(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files["lama"]
    sha256 = hash_file(path)
    with monkeypatch.context() as patched:
        patched.setattr("torch.jit.load", lambda *args, **kwargs: pytest.fail("it was read"))
        with pytest.raises(WeightsError, match="a program") as caught:
            load_content(str(path))
        assert f"{path.name}@sha256={sha256}" in caught.value.hint and "add trust" in caught.value.hint
        with pytest.raises(WeightsError, match="another file"):
            load_content(f"{path}@sha256={'0' * 64}", trusted=True)
    assert isinstance(load_content(f"{path}@sha256={sha256}"), ForeignNetwork)
    photo, hole = np.full((40, 40), 128, np.uint8), np.zeros((40, 40), bool)
    hole[10:20, 10:20] = True
    with pytest.raises(WeightsError, match="a program"):
        inpaint(photo, hole, content=str(path), texture="none")
    run = RunSettings(trust=True)
    assert inpaint(photo, hole, content=str(path), texture="none", run=run).shape == (40, 40)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    for name in ("a.onnx", "a.pt", "b.pth"):
        (tmp_path / name).write_bytes(b"nonsense")
        with pytest.raises(WeightsError, match=name):
            load_content(str(tmp_path / name), trusted=True)
    torch.save({"weight": torch.zeros(3)}, tmp_path / "state.pt")
    with pytest.raises(WeightsError, match="neither"):
        load_content(str(tmp_path / "state.pt"), trusted=True)

    class Three(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
            return a + b + c

    with pytest.raises(WeightsError, match="takes 3 inputs"):
        load_content(str(torchscript(Three(), tmp_path / "three.pt")), trusted=True)


def test_without_onnxruntime_it_is_said(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match="needs onnxruntime") as caught:
        load_content(f"{files['lama-onnx']}@size=512")
    assert "patchloom[onnx]" in caught.value.hint


@pytest.mark.parametrize("name", ["lama", "migan-pipeline"])
def test_fills_do_not_depend_on_threads_and_keep_what_is_known(files: dict[str, Path], name: str) -> None:
    photo = (255 * stripes(560, 700)).astype(np.uint8)
    hole = np.zeros((560, 700), bool)
    hole[250:280, 60:640] = True
    fills = [
        inpaint(
            photo, hole, preset="fast", texture="none", content=str(files[name]),
            run=RunSettings(threads=threads, trust=True),
        )
        for threads in (1, 3)
    ]  # fmt: skip
    np.testing.assert_array_equal(fills[0], fills[1])
    np.testing.assert_array_equal(fills[0][~hole], photo[~hole])


def _at_hand() -> list[str]:
    return [name for name in ("lama", "migan") if any(weights_folder().glob(f"content-{name}.*"))]


@pytest.mark.skipif(not _at_hand(), reason="neither LaMa nor MI-GAN is installed (patchloom weights fetch lama)")
def test_the_real_files_keep_their_contracts() -> None:
    """In a plain photo the hole becomes nearly plain; the contract is found without knowing the file, too."""
    from patchloom.networks.foreign import _tried

    for name in _at_hand():
        network: ContentNetwork = load_content(name, trusted=True)
        assert isinstance(network, ForeignNetwork)
        off, told = _tried(network)
        assert off < 0.15, f"{name} {told}"


def test_a_file_of_ones_own_is_installed_and_chosen_by_name(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATCHLOOM_WEIGHTS", str(tmp_path / "weights"))
    assert run_cli(["weights", "add", str(files["lama"])]) == 3, "nobody said that it is trusted"
    assert "--trust" in capsys.readouterr().err
    assert run_cli(["weights", "add", str(files["lama"]), "--name", "mine", "--trust"]) == 0
    assert run_cli(["weights", "add", str(files["lama-onnx"]), "--name", "mine"]) == 3, "the name is taken"
    assert run_cli(["weights", "add", str(files["lama-onnx"]), "--name", "auto"]) == 3, "that is a word"
    assert run_cli(["weights", "verify", "mine"]) == 0
    network = load_content("mine")
    assert isinstance(network, ForeignNetwork) and network.contract.name == "lama", "trusted by its recorded hash"
    assert checked_settings({"content": "mine"}).content == "mine", "as a client of the API may choose it"
    (tmp_path / "weights" / "content-mine.pt").write_bytes(b"changed")
    with pytest.raises(WeightsError, match="damaged"):
        load_content("mine")


def test_a_network_alone_and_followed_are_methods(files: dict[str, Path]) -> None:
    path = files["lama-onnx"]
    photo = (255 * stripes(120, 160)).astype(np.uint8)
    hole = np.zeros((120, 160), bool)
    hole[40:80, 60:100] = True
    alone = parse_method(f"alone=content-network:{path}").peer()
    alone.prepare()
    assert np.abs(alone.fill(photo, hole).astype(int) - photo).max() < 8
    followed = parse_method(f"followed=content-network:{path}+patchloom").peer()
    assert isinstance(followed, Ours) and followed.settings == fill_settings(content=str(path))
    lama, after = parse_method("lama").peer(), parse_method("lama+patchloom").peer()
    assert isinstance(lama, ContentAlone) and lama.name == "lama"
    assert isinstance(after, Ours) and after.settings.content == "lama"


def test_what_can_be_fetched_is_said_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHLOOM_WEIGHTS", str(tmp_path))
    for name in ("lama", "migan"):
        with pytest.raises(WeightsError) as caught:
            load_content(name)
        assert f"patchloom weights fetch {name}" in caught.value.hint
        assert KNOWN[REMOTES[name].sha256].licence == REMOTES[name].licence
