"""Weights files: written, found, checked, read back; downloads from a server that misbehaves."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from patchloom.cli.weights import command
from patchloom.errors import Cancelled, WeightsError
from patchloom.events import Event, Step
from patchloom.networks import download, weights
from patchloom.networks.calibration import dead_leaves, normalise
from patchloom.networks.remotes import Remote
from patchloom.networks.texture import Compact, Vgg19

PREFIX = Path(__file__).parents[3] / "shared" / "weights" / "vgg19-relu3_1.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's weights folder, empty."""
    monkeypatch.setenv("PATCHLOOM_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def store(folder: Path, name: str) -> Path:
    torch.manual_seed(1)
    path = folder / f"texture-{name}.safetensors"
    weights.record_sum(path, weights.save_network(Compact(), path, {"licence": "CC0"}))
    return path


# --- files ---------------------------------------------------------------------------------------------------


def test_a_saved_network_comes_back(folder: Path) -> None:
    path = store(folder, "mine")
    torch.manual_seed(1)
    original = Compact()
    for given in ("mine", str(path)):
        network = weights.load_texture(given)
        assert network.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        for key, value in network.state_dict().items():
            assert torch.equal(value, original.state_dict()[key].half().float())
    assert [file.card() for file in weights.installed() if file.name == "mine"] == [{"licence": "CC0"}]


def test_the_same_network_gives_the_same_bytes(folder: Path) -> None:
    assert store(folder, "one").read_bytes() == store(folder, "two").read_bytes()


def test_a_changed_byte_is_noticed(folder: Path) -> None:
    path = store(folder, "mine")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        weights.load_texture("mine")


def test_what_is_no_network_is_refused(folder: Path, tmp_path: Path) -> None:
    for name, content in (("a.safetensors", b"nonsense"), ("b.pth", b"nonsense"), ("c.pth", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError):
            weights.load_texture(str(tmp_path / name))
    with pytest.raises(WeightsError, match="no texture network 'nowhere'"):
        weights.load_texture("nowhere")
    with pytest.raises(WeightsError) as caught:
        weights.load_texture("vgg19")
    assert "weights fetch vgg19" in caught.value.hint
    with pytest.raises(WeightsError):
        weights.load_content(str(store(folder, "mine")))


def test_a_pickle_that_runs_code_is_not_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "touched",))  # type: ignore[return-value]

    torch.save({"features.0.weight": Harmful()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError):
        weights.load_texture(str(tmp_path / "evil.pth"))
    assert not (tmp_path / "touched").exists()


def test_a_file_that_the_user_has_put_there_is_not_called_damaged(folder: Path) -> None:
    weights.save_network(Compact(), folder / "texture-mine.safetensors", {"licence": "CC0"})
    (mine,) = (file for file in weights.installed() if file.name == "mine")
    assert mine.verify() == "yours"
    assert CliRunner().invoke(command, ["verify"]).exit_code == 0
    mine.path.write_bytes(mine.path.read_bytes()[:100])
    with pytest.raises(WeightsError, match="no readable"):
        mine.verify()


def test_embedded_files_are_as_recorded() -> None:
    embedded = [file for file in weights.installed() if file.embedded]
    for file in embedded:
        assert file.verify() == "verified"
        assert {"task", "data", "licence"} <= set(file.card())
    assert {path.name for path in weights.EMBEDDED.glob("*.safetensors")} == set(
        weights.read_sums(weights.EMBEDDED)
    )


@pytest.mark.skipif(not PREFIX.is_file(), reason=f"no {PREFIX.name} beside the checkout")
def test_every_scale_ends_as_one() -> None:
    """Layers rescaled by positive factors compute the same function; calibration takes the factors out."""
    reference = weights.load_texture(str(PREFIX))
    assert isinstance(reference, Vgg19)
    other = Vgg19("caffe", "3_1")
    other.load_state_dict(reference.state_dict())
    before = 1.0
    for layer, factor in zip(other.layers().values(), (3.0, 0.2, 40.0, 7.0, 0.01), strict=True):
        layer.weight.data *= factor / before
        layer.bias.data *= factor  # type: ignore[union-attr]
        before = factor
    x = dead_leaves(count=2, side=32)
    expected, given = (network(x, reference.taps) for network in (reference, normalise(other)))
    for tap in reference.taps:
        assert torch.allclose(given[tap], expected[tap], rtol=0.01, atol=0.01)


# --- downloads -----------------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Server(http.server.ThreadingHTTPServer):
    """Serves ``content`` on every path, as the path says: /good, /norange, /truncating, /shifted, /missing."""

    content = CONTENT
    requests: list[tuple[str, str]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range") or ""
        self.server.requests.append((self.path, asked))
        content = self.server.content
        start = int(asked[6:-1]) if asked and self.path != "/norange" else 0
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(206 if start else 200)
        if start:
            shifted = start + 1 if self.path == "/shifted" else start
            self.send_header("Content-Range", f"bytes {shifted}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = min(start + 300_000, len(content)) if self.path == "/truncating" else len(content)
        self.wfile.write(content[start:stop])

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.requests = []
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def remote(server: Server, *paths: str, content: bytes = CONTENT) -> Remote:
    address = f"http://127.0.0.1:{server.server_address[1]}"
    sha256 = hashlib.sha256(content).hexdigest()
    return Remote("test", "test.bin", len(content), sha256, tuple(f"{address}/{path}" for path in paths))


def test_a_download_is_complete_and_tells_its_progress(server: Server, tmp_path: Path) -> None:
    events: list[Event] = []
    path = download.download(remote(server, "good"), tmp_path, events.append)
    assert path.read_bytes() == CONTENT
    fractions = [event.fraction for event in events if isinstance(event, Step)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert list(tmp_path.iterdir()) == [path]
    download.download(remote(server, "good"), tmp_path)
    assert len(server.requests) == 1, "a complete file is not fetched again"


def test_a_broken_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"900,000 of 1,048,576"):
        download.download(remote(server, "truncating"), tmp_path)
    assert (tmp_path / "test.bin.part").stat().st_size == 900_000
    path = download.download(remote(server, "good"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test.bin.part").write_bytes(CONTENT[:1000])
    path = download.download(remote(server, "norange"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.requests == [("/norange", "bytes=1000-")]


def test_a_stopped_download_can_be_resumed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "BLOCK", 100_000)

    def stop(event: Event) -> None:
        if isinstance(event, Step) and event.fraction > 0.4:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        download.download(remote(server, "good"), tmp_path, stop)
    kept = (tmp_path / "test.bin.part").stat().st_size
    assert 0.4 * len(CONTENT) < kept < 0.6 * len(CONTENT)
    assert download.download(remote(server, "good"), tmp_path).read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={kept}-"


def test_wrong_bytes_are_thrown_away_and_the_next_mirror_asked(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test.bin.part").write_bytes(b"\xff" * 1000)  # a beginning that is not the file's
    path = download.download(remote(server, "good", "norange"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.requests == [("/good", "bytes=1000-"), ("/norange", "")]


@pytest.mark.parametrize(("path", "reason"), [("missing", "404"), ("shifted", "another range")])
def test_what_a_server_does_wrong_is_said(server: Server, tmp_path: Path, path: str, reason: str) -> None:
    if path == "shifted":
        (tmp_path / "test.bin.part").write_bytes(CONTENT[:1000])
    with pytest.raises(WeightsError, match=reason):
        download.download(remote(server, path), tmp_path)
    assert not (tmp_path / "test.bin").exists()


def test_another_file_is_refused_before_it_is_received(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="1,048,576 bytes instead of 1,000"):
        download.download(remote(server, "good", content=CONTENT[:1000]), tmp_path)
    wrong = CONTENT[:-1] + b"\x00"
    with pytest.raises(WeightsError, match="SHA-256"):
        download.download(remote(server, "good", content=wrong), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_connection_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    nowhere = Remote("test", "test.bin", 10, "0" * 64, ("http://127.0.0.1:9/file",))
    with pytest.raises(WeightsError, match="no connection") as caught:
        download.download(nowhere, tmp_path)
    assert "HTTPS_PROXY" in caught.value.hint


def test_the_command_fetches_lists_verifies_and_removes(
    server: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``weights fetch vgg19``, with a small stand-in for torchvision's file."""
    torch.manual_seed(2)
    network = Vgg19("torchvision", "2_1")
    positions = {"1_1": 0, "1_2": 2, "2_1": 5}
    state = {
        f"features.{positions[name]}.{part}": getattr(layer, part)
        for name, layer in network.layers().items()
        for part in ("weight", "bias")
    }
    torch.save({**state, "classifier.0.weight": torch.zeros(1000)}, tmp_path / "whole.pth")
    server.content = (tmp_path / "whole.pth").read_bytes()
    monkeypatch.setitem(download.REMOTES, "vgg19", remote(server, "good", content=server.content))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    run("fetch", "vgg19")
    stored = folder / "texture-vgg19.safetensors"
    assert {path.name for path in folder.iterdir()} == {stored.name, weights.SUMS}
    assert "vgg19" in run("list")
    assert run("path", "vgg19").strip() == str(stored)
    assert "vgg19" in run("verify")
    fetched = weights.load_texture("vgg19")
    assert fetched.config == {"variant": "torchvision", "deepest": "2_1"}
    x = torch.rand(1, 3, 16, 16)
    ratio = fetched(x, ["relu2_1"])["relu2_1"] / network(x, ["relu2_1"])["relu2_1"].clamp_min(1e-9)
    assert ratio[ratio > 0].std() / ratio[ratio > 0].mean() < 1e-3, "the same function but for one scale"
    run("remove", "vgg19")
    assert not stored.exists()
    with pytest.raises(WeightsError):
        weights.load_texture("vgg19")


def test_a_content_network_is_fetched_as_it_is(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = replace(
        remote(server, "good"), name="lama", file="content-lama.onnx", role="content", licence="Apache-2.0"
    )
    monkeypatch.setitem(download.REMOTES, "lama", there)
    result = CliRunner().invoke(command, ["fetch", "lama"], catch_exceptions=False)
    assert result.exit_code == 0 and "Apache-2.0" in result.output and "--content lama" in result.output
    (stored,) = (file for file in weights.installed() if file.name == "lama")
    assert stored.path.read_bytes() == CONTENT and stored.verify() == "verified"
    monkeypatch.setitem(download.REMOTES, "lama", replace(there, mirrors=()))
    assert download.fetch("lama") == stored.path, "it is there already"
