"""The content networks: what they leave alone, where they look, and the sizes the papers give."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn

from patchloom.method.coarse import network_fill, predict
from patchloom.method.pyramid import Level
from patchloom.networks.content import (
    ContentNetwork,
    Discriminator,
    PaperContent,
    ResidualContent,
)
from patchloom.networks.weights import default_network, load_content
from patchloom.tensors.border import as_tensor
from patchloom.tensors.membrane import membrane


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


class Painter(ContentNetwork):
    """Paints the hole in one colour."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
        return torch.full_like(image, self.value)


def test_an_untrained_default_network_is_the_membrane() -> None:
    image, hole = torch.rand(2, 3, 128, 128), (torch.rand(2, 1, 128, 128) > 0.5).float()
    torch.testing.assert_close(ResidualContent().eval()(image, hole), image)


def test_the_default_network_fits_the_package() -> None:
    assert parameters(ResidualContent()) <= 7_500_000


def test_the_papers_sizes() -> None:
    with torch.device("meta"):
        network, discriminator = PaperContent(64, 4000), Discriminator(64)
        assert network.centre(torch.empty(2, 3, 128, 128)).shape == (2, 3, 64, 64)
        assert discriminator(torch.empty(2, 3, 64, 64)).shape == (2,)
    assert round(parameters(network) / 1e6, 1) == 71.1
    assert round(parameters(discriminator) / 1e6, 2) == 2.77


def test_the_papers_network_sees_nothing_of_its_hole() -> None:
    network = PaperContent(8, 16).eval()
    image = torch.rand(1, 3, 128, 128)
    hole = torch.zeros(1, 1, 128, 128)
    hole[..., 36:92, 36:92] = 1
    other = torch.where(hole > 0, torch.rand_like(image), image)
    assert torch.equal(network(image, hole), network(other, hole))
    assert not torch.equal(network(image, hole), network(1 - image, hole))


@given(st.integers(20, 400), st.integers(20, 400), st.data())
@settings(max_examples=40, deadline=None)
def test_the_frames_cover_the_hole_and_show_its_surroundings(height: int, width: int, data: st.DataObject) -> None:
    hole = np.zeros((height, width), bool)
    for _ in range(data.draw(st.integers(1, 3))):
        top, left = data.draw(st.integers(0, height - 2)), data.draw(st.integers(0, width - 2))
        bottom, right = data.draw(st.integers(top + 1, height - 1)), data.draw(st.integers(left + 1, width - 1))
        hole[top:bottom, left:right] = True
    covered = np.zeros_like(hole)
    for rows, columns in ResidualContent().frames(hole):
        assert len(rows) == len(columns)
        inside = []
        for index, length in zip((rows, columns), hole.shape, strict=True):
            # beyond the border only where there is no room
            assert bool((index[0] >= 0) & (index[-1] < length)) == (len(index) <= length)
            inside.append(index[(index >= 0) & (index < length)])
        covered[np.ix_(*inside)] = True
        assert hole[np.ix_(*inside)].any() and not hole[np.ix_(*inside)].all()
    assert covered[hole].all()


def test_a_stroke_is_shown_as_closely_as_a_square_of_its_width() -> None:
    square, stroke = np.zeros((2, 600, 600), bool)
    square[280:340, 100:160] = True
    stroke[280:340, 100:500] = True
    network = ResidualContent()
    (one,), several = network.frames(square), network.frames(stroke)
    assert len(several) > 1 and {len(rows) for rows, _ in several} == {len(one[0])}


def test_the_papers_frame_centres_the_hole_beyond_the_border() -> None:
    hole = np.zeros((128, 200), bool)
    hole[0:56, 180:196] = True
    ((rows, columns),) = PaperContent(8, 16).frames(hole)
    assert len(rows) == len(columns) == 128
    assert (int(rows[0]), int(columns[0])) == (28 - 64, 188 - 64)


def test_predict_changes_the_hole_only_and_everywhere_in_it() -> None:
    for height, width in ((64, 200), (300, 280), (128, 128)):
        image = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
        hole = np.zeros((height, width), bool)
        hole[10:50, 60:120] = True
        filled = predict(Painter(1.0).eval(), image, hole)
        np.testing.assert_array_equal(filled[~hole], image[~hole])
        middle, start = (picture[20:40, 75:105] for picture in (filled, membrane(image, hole)))
        assert (middle > start).all() and (1 - middle).mean() < 0.1


def test_a_guess_says_how_closely_the_hole_was_seen() -> None:
    """A square of 120 pixels is shown with 360 around it, at 128; a small one as it is."""
    for side, shown in ((120, 360), (10, 256)):
        hole = np.zeros((400, 400), bool)
        hole[140 : 140 + side, 140 : 140 + side] = True
        guess = network_fill(Level(np.zeros((400, 400, 3), np.float32), hole, ~hole), Painter(1.0).eval())
        assert guess.resolution == pytest.approx(128 / shown, rel=0.03)


def test_predict_puts_a_mark_where_the_network_puts_it() -> None:
    """A network that knows the truth at 128 px gives it back at full size, blurred, but in its place."""
    y, x = np.meshgrid(np.linspace(0, 6, 320), np.linspace(0, 6, 400), indexing="ij")
    truth = (np.stack([np.sin(y), np.cos(x * y / 6), np.sin(x)], 2) / 2 + 0.5).astype(np.float32)
    hole = np.zeros((320, 400), bool)
    hole[100:250, 120:260] = True
    ((rows, columns),) = ResidualContent().frames(hole)
    seen = as_tensor(truth[rows[:, None], columns])

    class Knowing(Painter):
        def _guess(self, image: Tensor, hole: Tensor) -> Tensor:
            return nn.functional.interpolate(seen, (128, 128), mode="bilinear", antialias=True)

    filled = predict(Knowing(0).eval(), np.where(hole[..., None], np.float32(0), truth), hole)
    assert np.abs(filled - truth).max() < 0.05
    assert np.abs(filled - truth).mean() < 0.2 * np.abs(membrane(truth, hole) - truth).mean()


def test_what_is_thinner_than_a_coarse_pixel_keeps_the_membrane() -> None:
    image = np.random.default_rng(0).random((600, 600, 3), dtype=np.float32)
    hole = np.zeros((600, 600), bool)
    hole[200:400, 20:160] = hole[300, 160:580] = True
    filled, smooth = predict(Painter(1.0).eval(), image, hole), membrane(image, hole)
    np.testing.assert_array_equal(filled[:, 170:], smooth[:, 170:])
    assert (filled[:, :160] != smooth[:, :160]).any()


def test_the_embedded_network_is_nearer_to_photographs_than_the_membrane() -> None:
    data = pytest.importorskip("skimage.data")
    network = load_content(default_network("content") or "", "cpu")
    gains = []
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        truth = getattr(data, name)() / np.float32(255)
        height, width = truth.shape[:2]
        for top, left in ((0.3, 0.3), (0.3, 0.5), (0.5, 0.3), (0.5, 0.5)):
            hole = np.zeros((height, width), bool)
            hole[int(top * height) :, int(left * width) :][: height // 4, : height // 4] = True
            smooth, guess = (
                np.square(picture - truth)[hole].sum()
                for picture in (membrane(truth, hole), predict(network, truth, hole))
            )
            gains.append(10 * np.log10(smooth / guess))
    assert sum(gains) / len(gains) > 0.5, gains  # dB
