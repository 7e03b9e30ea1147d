"""The trainer on a dozen painted photographs: it learns, stops cleanly, resumes exactly, writes usable files."""

import json
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from patchloom.errors import Cancelled, InputError, OutputError, SettingsError
from patchloom.events import CancelToken, Event, TrainStep, Warned
from patchloom.networks.content import ResidualContent
from patchloom.networks.weights import load_content
from patchloom.training.content import TOLERANCE, content_trainee, hole_error
from patchloom.training.data import Photographs, open_photographs
from patchloom.training.loop import learning_rate, train
from patchloom.training.muon import orthogonal
from patchloom.training.plan import ContentOptions, Plan
from patchloom.training.samples import CENTRE, MIXED, draw_hole, make_sample


def paint(seed: int, width: int = 150, height: int = 140) -> Image.Image:
    """A bright sky over dark ground, with a horizon at some height."""
    random = np.random.default_rng(seed)
    picture = np.empty((height, width, 3))
    horizon = random.integers(40, 100)
    picture[:horizon], picture[horizon:] = (200, 220, 250), (60, 80, 40)
    return Image.fromarray((picture + random.normal(0, 5, picture.shape)).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(12):
        paint(number).save(folder / f"{number:02}.png")
    return open_photographs([folder], folder / "store")


@pytest.fixture(autouse=True)
def small_and_quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hundredth of the default network, no long warm-up, one thread: the work is too small for two."""
    tiny = partial(ResidualContent, widths=(8, 16, 16), code=4, dense=32)
    monkeypatch.setattr("patchloom.training.content.ResidualContent", tiny)
    monkeypatch.setattr("patchloom.training.loop.WARM_UP", 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(photographs: Photographs, plan: Plan, **options: object) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    chosen = ContentOptions(batch=8, **options)  # type: ignore[arg-type]
    path = train(lambda device: content_trainee(photographs, chosen, plan.seed, device), plan, events.append)
    return path, events


def state(folder: Path) -> dict[str, torch.Tensor]:
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)
    return {**saved["average"], **{f"now.{key}": value for key, value in saved["network"].items()}}


def test_folders_and_archives_give_the_same_photographs(tmp_path: Path) -> None:
    folder = tmp_path / "tree" / "deep"
    folder.mkdir(parents=True)
    for number in range(3):
        paint(number, 300, 280).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    paint(9, 40, 40).save(folder / "tiny.png")
    archive = tmp_path / "shard.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
    events: list[Event] = []
    first = open_photographs([tmp_path / "tree"], tmp_path / "a", events.append)
    second = open_photographs([archive], tmp_path / "b")
    again = open_photographs([archive], tmp_path / "b", lambda event: pytest.fail(f"decoded again: {event}"))
    assert len(first) == len(second) == len(again) == 3
    assert all(np.array_equal(first[i], again[i]) for i in range(3))
    assert min(first[0].shape[:2]) == 136
    warning = next(event for event in events if isinstance(event, Warned))
    assert warning.message.startswith("2 of 5 files are skipped")
    assert "tiny.png: only 40x40" in (tmp_path / "a" / "skipped.txt").read_text()
    with pytest.raises(InputError, match="None of the sources"):
        (tmp_path / "empty").mkdir()
        open_photographs([tmp_path / "empty"], tmp_path / "c")


def test_samples_depend_on_their_seed_and_keep_what_is_known(photographs: Photographs) -> None:
    shape = (128, 128, 3)
    first, second = [
        [np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape[:2], bool)] for _ in "ab"
    ]
    shares = []
    for seed in range(40):
        make_sample(photographs[seed % 12], seed, MIXED, TOLERANCE, *first)
        make_sample(photographs[seed % 12], seed, MIXED, TOLERANCE, *second)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        picture, filled, hole = first
        assert np.array_equal(picture[~hole], filled[~hole])
        assert filled.min() >= 0 and filled.max() <= 1
        shares.append(hole.mean())
    assert min(shares) >= 0.05 and max(shares) <= 0.5 and max(shares) - min(shares) > 0.3
    draw_hole(CENTRE, 0, hole)
    assert hole.sum() == 56 * 56 and hole[36, 36] and hole[91, 91]


def test_training_learns_and_its_file_is_usable_at_once(photographs: Photographs, tmp_path: Path) -> None:
    path, events = run(photographs, Plan(folder=tmp_path, steps=40, device="cpu"), data="painted")
    network = load_content(str(path), "cpu")
    held_out = content_trainee(photographs, ContentOptions(batch=8), 99, torch.device("cpu")).batch(0)
    truth, filled, hole = held_out
    with torch.no_grad():
        learnt = hole_error(network(filled, hole), truth, hole).mean()
    assert learnt < 0.9 * hole_error(filled, truth, hole).mean()
    assert any(isinstance(event, TrainStep) for event in events)
    assert sorted(tmp_path.glob("sheet-*.png"))


def test_resuming_gives_the_weights_of_an_uninterrupted_run(
    photographs: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchloom.training.loop.TELL_SECONDS", 0.0)  # an event, a chance to stop, at every step
    whole, parts = Plan(folder=tmp_path / "whole", steps=6, device="cpu"), tmp_path / "parts"
    run(photographs, whole)
    token = CancelToken()

    def stop_later(event: Event) -> None:
        if isinstance(event, TrainStep):
            token.guard()(event)
            token.cancel()

    task = ContentOptions(batch=8)
    with pytest.raises(Cancelled):
        plan = Plan(folder=parts, steps=6, device="cpu")
        train(lambda device: content_trainee(photographs, task, 0, device), plan, stop_later)
    stopped = torch.load(parts / "checkpoint.pt", weights_only=True)["step"]
    assert 1 <= stopped < 6
    load_content(str(parts / "content-default.safetensors"), "cpu")
    run(photographs, Plan(folder=parts, steps=6, resume=True, device="cpu"))
    expected, resumed = state(tmp_path / "whole"), state(parts)
    assert all(torch.equal(expected[key], resumed[key]) for key in expected)


def test_a_training_may_begin_from_weights(photographs: Photographs, tmp_path: Path) -> None:
    first, _ = run(photographs, Plan(folder=tmp_path / "first", steps=3, device="cpu"))
    plan = Plan(folder=tmp_path / "second", steps=1, start=first, seed=5, device="cpu")
    second, _ = run(photographs, plan)
    before, after = load_content(str(first)).state_dict(), load_content(str(second)).state_dict()
    key = "encode.2.0.spread.weight"
    assert torch.nn.functional.cosine_similarity(before[key].flatten(), after[key].flatten(), dim=0) > 0.9
    with pytest.raises(InputError, match="does not hold this network"):
        run(photographs, Plan(folder=tmp_path / "third", steps=1, start=first, device="cpu"), network="paper")


def test_the_papers_network_learns_with_its_discriminator(photographs: Photographs, tmp_path: Path) -> None:
    options = {"network": "paper", "width": 32, "channels": 8}
    path, events = run(photographs, Plan(folder=tmp_path, steps=4, device="cpu"), adversarial=True, **options)
    assert path.name == "content-paper-adversarial.safetensors"
    assert load_content(str(path), "cpu").config == {"channels": 8, "width": 32}
    losses = next(event.losses for event in events if isinstance(event, TrainStep))
    assert set(losses) == {"square", "adversarial", "discriminator"}


def test_a_run_is_not_overwritten_nor_invented(photographs: Photographs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training to resume"):
        run(photographs, Plan(folder=tmp_path, steps=1, resume=True, device="cpu"))
    (tmp_path / "checkpoint.pt").write_bytes(b"")
    with pytest.raises(OutputError, match="holds a training already"):
        run(photographs, Plan(folder=tmp_path, steps=1, device="cpu"))
    with pytest.raises(SettingsError):
        Plan(folder=tmp_path)


def test_the_learning_rate_rises_and_ends_at_zero() -> None:
    assert learning_rate(0, 0) == pytest.approx(1 / 3)
    assert learning_rate(0.2, 500) == 1
    assert learning_rate(0.65, 500) == pytest.approx(0.5)
    assert learning_rate(1, 500) == 0


def test_the_schedule_follows_steps_or_minutes(tmp_path: Path) -> None:
    assert Plan(folder=tmp_path, steps=200).progress(50, 1e9) == 0.25
    assert Plan(folder=tmp_path, minutes=10).progress(10**9, 150) == 0.25


def test_orthogonal_levels_singular_values() -> None:
    """Against the polar factor from a singular value decomposition."""
    matrix = torch.randn(20, 50, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.logspace(0, -1, 50)
    )
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    for given, expected in ((matrix, left @ right), (matrix.T, (left @ right).T)):
        result = orthogonal(given)
        values = torch.linalg.svdvals(result)
        assert values.min() > 0.6 and values.max() < 1.3
        assert float((result * expected).sum() / (result.norm() * expected.norm())) > 0.97


def test_the_log_is_readable(photographs: Photographs, tmp_path: Path) -> None:
    run(photographs, Plan(folder=tmp_path, steps=2, device="cpu"))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[0].keys() >= {"seconds", "epoch", "loss", "psnr", "membrane"}
