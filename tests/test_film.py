"""Films whose background is known: what frames show is taken, the rest stays as it was filled once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy import ndimage

from patchloom import InputError, Mask, Photo, fill_frames, fill_settings
from patchloom.batch.frames import fill_film
from patchloom.batch.journal import JOURNAL
from patchloom.batch.order import Order
from patchloom.batch.work import Recipe
from patchloom.cli import run
from patchloom.events import CancelToken, CaseDone, Event
from patchloom.film import KEPT, Film, Frame
from patchloom.outputs import read_records

pytest.importorskip("cv2")

HEIGHT, WIDTH, COUNT = 120, 176, 6
QUICK = fill_settings("fast", content="none")


def scene(name: str = "coffee") -> np.ndarray:
    return np.asarray(getattr(skimage.data, name)())


def pan(number: int, picture: np.ndarray) -> np.ndarray:
    """What a camera sees that moves by 3 pixels a frame."""
    return picture[80 : 80 + HEIGHT, 150 + 3 * number : 150 + 3 * number + WIDTH]


def disc(x: float, y: float, radius: float = 12) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(rows - y, columns - x) < radius


def filmed(where: Callable[[int], np.ndarray], noise: float = 0.0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames with something grey where that is said, and the same without it."""
    rng, truth = np.random.default_rng(1), [pan(number, scene()) for number in range(COUNT)]
    noisy = [np.rint((one + rng.normal(0, noise, one.shape)).clip(0, 255)).astype(np.uint8) for one in truth]
    return [np.where(where(n)[..., None], 127, one).astype(np.uint8) for n, one in enumerate(noisy)], noisy


def filled(frames: list[np.ndarray], holes: list[np.ndarray], dust: float = 0.0) -> list[tuple[np.ndarray, dict]]:
    film = Film([Frame(Photo(one), hole) for one, hole in zip(frames, holes, strict=True)], QUICK, dust=dust)
    made = []
    for number in range(len(frames)):
        result = film.fill(number)
        film.carry_on(result.photo, result.report)
        made.append((result.photo.pixels, result.report))
    return made


def test_what_other_frames_show_is_taken_from_them() -> None:
    frames, truth = filmed(lambda n: disc(60 + 9 * n, 60))
    holes = [disc(60 + 9 * n, 60, 14) for n in range(COUNT)]
    for (picture, report), frame, right, hole in zip(filled(frames, holes), frames, truth, holes, strict=True):
        np.testing.assert_array_equal(picture[~hole], frame[~hole])
        assert report["given"] > 0.9
        assert np.square(picture[hole].astype(float) - right[hole]).mean() < 255**2 * 10**-3  # 30 dB


def test_what_no_frame_shows_is_filled_once_and_does_not_flicker() -> None:
    """Under a mark that stands still while the camera pans slowly, something is left that none shows at first."""
    hole = disc(80, 60, 24)
    frames, _ = filmed(lambda n: hole, noise=2.0)
    made = filled(frames, [hole] * COUNT)
    assert made[0][1]["invented"] > 0.2
    assert max(report["invented"] for _, report in made[1:]) < 0.1
    ring = ndimage.binary_dilation(hole, iterations=12) & ~ndimage.binary_dilation(hole, iterations=3)
    inside, outside = [], []
    for (now, _), (before, _) in zip(made[1:], made[:-1], strict=True):
        change = np.abs(now[:, :-3].astype(float) - before[:, 3:]).mean(2)
        both = hole[:, :-3] & hole[:, 3:]
        inside.append(change[both].mean())
        outside.append(change[ring[:, :-3]].mean())
    assert 0.5 < np.mean(inside) / np.mean(outside) < 1.5


def test_nothing_is_taken_over_a_cut() -> None:
    other = [np.ascontiguousarray(scene("rocket")[60 : 60 + HEIGHT, 150 : 150 + WIDTH])] * 2
    frames, _ = filmed(lambda n: disc(80, 60))
    made = filled([*frames[:2], *other], [disc(80, 60)] * 4)
    assert [report["scene"] for _, report in made] == [0, 0, 2, 2]
    assert made[2][1]["invented"] == 1 and made[3][1]["carried"] == 1


def test_dust_is_found_and_grain_and_what_moves_are_not() -> None:
    frames, truth = filmed(lambda n: np.zeros((HEIGHT, WIDTH), bool), noise=2.0)
    none = [np.zeros((HEIGHT, WIDTH), bool)] * COUNT
    clean = Film([Frame(Photo(one), none[0]) for one in frames], QUICK, dust=0.06)
    assert max(clean.hole(number).mean() for number in range(COUNT)) < 0.001
    rng, marks = np.random.default_rng(5), []
    for frame in frames:
        spots = [disc(*rng.integers(12, (WIDTH - 12, HEIGHT - 12)), rng.uniform(1, 3)) for _ in range(6)]
        mark = np.any(spots, axis=0)
        frame[mark] = np.where(frame[mark].mean(1, keepdims=True) > 127, 15, 240)
        marks.append(mark)
    film = Film([Frame(Photo(one), none[0]) for one in frames], QUICK, dust=0.06)
    assert min(film.hole(n)[mark].mean() for n, mark in enumerate(marks)) > 0.9
    for n in range(COUNT):
        error = np.abs(film.fill(n).photo.pixels[marks[n]].astype(float) - truth[n][marks[n]])
        assert error.mean() < 12


def test_a_long_film_is_not_held_in_memory() -> None:
    class Asked:
        """Frames that tell which of them were asked for."""

        def __init__(self) -> None:
            self.numbers: set[int] = set()

        def __len__(self) -> int:
            return 1000

        def __getitem__(self, number: int) -> Frame:
            self.numbers.add(number)
            return Frame(Photo(pan(number % 4, scene())), disc(80, 60))

    frames = Asked()
    Film(frames, QUICK, dust=0.1).fill(500)
    assert max(frames.numbers) - min(frames.numbers) <= KEPT


def test_the_generator_takes_arrays_and_gives_arrays() -> None:
    frames, _ = filmed(lambda n: disc(60 + 20 * n, 60))
    masks = [disc(60, 60), None, disc(100, 60)]
    made = list(fill_frames(frames[:3], masks, preset="fast", content="none"))
    assert [one.dtype for one in made] == [np.uint8] * 3
    np.testing.assert_array_equal(made[1], frames[1])
    with pytest.raises(InputError):
        list(fill_frames(frames[:3], masks[:2]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """frames/*.png and *.jpg and one mask.png, of a mark that stands still; the last frame is cut short."""
    frames, _ = filmed(lambda n: disc(80, 60), noise=2.0)
    for name in ("png", "jpg"):
        (tmp_path / name).mkdir()
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(tmp_path / name / f"{number:03}.{name}")
    Image.fromarray(disc(80, 60, 14)).save(tmp_path / "mask.png")
    return tmp_path


def order(folder: Path, kind: str, out: str, existing: str = "refuse") -> Order:
    return Order(
        photos=str(folder / kind),
        masks=str(folder / "mask.png"),
        results=str(folder / out),
        recipe=Recipe(fill=QUICK),
        existing=existing,  # type: ignore[arg-type]
    )


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(folder: Path, kind: str) -> None:
    whole = fill_film(order(folder, kind, "whole"))
    assert whole.counts["done"] == COUNT
    cancel = CancelToken()

    def stop(event: Event) -> None:
        if isinstance(event, CaseDone) and event.done == 2:
            cancel.cancel()

    stopped = fill_film(order(folder, kind, "parts"), observe=stop, cancel=cancel)
    assert stopped.cancelled and stopped.counts["done"] == 2
    rest = fill_film(order(folder, kind, "parts", "resume"))
    assert (rest.counts["kept"], rest.counts["done"]) == (2, COUNT - 2)
    assert contents(folder / "parts") == contents(folder / "whole")
    films = [record["film"] for record in read_records(folder / "whole" / JOURNAL) if "film" in record]
    assert films[0]["invented"] > 0.2 and films[1]["invented"] < 0.1


def test_a_changed_frame_is_done_again_and_a_damaged_one_stops_nothing(folder: Path) -> None:
    fill_film(order(folder, "png", "out"))
    frame = folder / "png" / "002.png"
    frame.write_bytes(frame.read_bytes()[:1000])
    summary = fill_film(order(folder, "png", "out", "resume"))
    assert summary.counts["failed"] == 1 and summary.counts["kept"] == 0


def test_the_command_fills_and_shows_dust(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames, out, masks = (str(folder / name) for name in ("png", "out", "mask.png"))
    assert run(["frames", frames, "-o", out, "--preset", "fast"]) == 3
    assert "Nothing says what to fill" in capsys.readouterr().err
    assert run(["frames", frames, "--dust", "--show-dust", str(folder / "dust")]) == 0
    assert run(["frames", frames, "--dust"]) == 2  # says nowhere to put the results
    assert Mask.open(folder / "dust" / "000.png", mode="white").width == WIDTH
    assert not (folder / "out").exists()
    assert run(["frames", frames, "--masks", masks, "-o", out, "--dust", "0.1", "--preset", "fast"]) == 0
    assert len(contents(folder / "out")) == COUNT
