"""Targets of features and pixels against literal loops over patches."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy

from patchloom.method.losses import Pixels, Texture
from patchloom.method.pyramid import Level
from patchloom.method.targets import VOTE_WEIGHTS, CarriedTargets, KnownFeatures, SearchedTargets
from patchloom.networks.weights import load_texture
from patchloom.tensors import field as fields
from patchloom.tensors.border import as_flags, as_tensor
from patchloom.tensors.boxes import Box

WHOLE = Box(0, 0, 16, 20)


def level() -> Level:
    """16x20 pixels of noise with a hole of 5x6."""
    image = np.random.default_rng(0).random((16, 20, 3), dtype=np.float32)
    hole = np.zeros((16, 20), bool)
    hole[5:10, 7:13] = True
    return Level(np.where(hole[..., None], np.float32(0), image), hole, ~hole)


def start(of: Level) -> np.ndarray:
    return of.composite(np.random.default_rng(1).random((16, 20, 3), dtype=np.float32))


def carried(of: Level, seed: int = 0, thickness: float = 1.0) -> tuple[CarriedTargets, fields.Field]:
    field = fields.random_field(of.hole, fields.source_centres(~of.hole, 1), 1, seed)
    correction = np.where(of.hole[..., None], np.float32(0.01), np.zeros((16, 20, 3), np.float32))
    return CarriedTargets(
        replace(of, image=start(of)), correction, field, Toy(), ("same", "half"), thickness
    ), field


def voted(
    field: fields.Field, known: np.ndarray, hole: np.ndarray, cell: tuple[int, int], stride: int
) -> np.ndarray:
    """The weighted mean of what the nine patches over ``cell`` of ``known`` (C, h, w) say; ``hole`` (h, w)."""
    total, weights = np.zeros(known.shape[0]), 0.0
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            row, column = ((cell[0] + dy) * stride + stride // 2, (cell[1] + dx) * stride + stride // 2)
            number = field.numbers[min(max(row, 0), 15), min(max(column, 0), 19)]
            if number < 0:
                continue
            y, x = (cell[i] + int(np.floor(field.offsets[number, i] / stride + 0.5)) for i in (0, 1))
            if not (0 <= y < hole.shape[0] and 0 <= x < hole.shape[1]) or hole[y, x]:
                continue
            total += VOTE_WEIGHTS[dy + 1][dx + 1] * known[:, y, x]
            weights += VOTE_WEIGHTS[dy + 1][dx + 1]
    return total / weights if weights else total


@pytest.mark.parametrize(("name", "stride"), [("texture_same", 1), ("texture_half", 2)])
def test_carried_features_are_the_votes_of_nine_patches(name: str, stride: int) -> None:
    here = level()
    targets, field = carried(here)
    term = targets.terms(WHOLE, as_flags(here.hole), 1.0, 5.0)[name]
    assert isinstance(term, Texture)
    known = torch.nn.functional.avg_pool2d(as_tensor(start(here)), stride)[0].double().numpy()
    hole = torch.nn.functional.max_pool2d(as_flags(here.hole).float(), stride)[0, 0].numpy() > 0
    for cell in np.argwhere(hole):
        expected = voted(field, known, hole, tuple(cell), stride)
        np.testing.assert_allclose(term.target.value[0, :, *cell], expected, atol=1e-6)
    assert (term.target.weight[0, 0].numpy()[~hole] == 0).all()


def test_carried_pixels_are_corrected_copies_and_in_thin_holes_the_start() -> None:
    here = level()
    targets, field = carried(here)
    picture, hole = start(here).transpose(2, 0, 1), here.hole
    wide = targets.terms(WHOLE, as_flags(here.hole), 1.0, 5.0)["pixels"]
    thin = carried(here, thickness=0.25)[0].terms(WHOLE, as_flags(here.hole), 1.0, 5.0)["pixels"]
    assert isinstance(wide, Pixels) and isinstance(thin, Pixels)
    for cell in np.argwhere(hole):
        expected = voted(field, picture, hole, tuple(cell), 1) + 0.01
        np.testing.assert_allclose(wide.target.value[0, :, *cell], expected, atol=1e-6)
        np.testing.assert_allclose(thin.target.value[0, :, *cell], picture[:, *cell], atol=1e-6)


def test_a_thin_hole_has_no_layer_of_cells_as_wide_as_it_is_deep() -> None:
    def weights(thickness: float, *taps: str) -> dict[str, float]:
        targets = replace(carried(level(), thickness=thickness)[0], taps=taps)
        return {name: term.weight for name, term in targets.terms(WHOLE, as_flags(level().hole), 1, 0).items()}

    assert weights(1.0, "same", "half") == {"texture_same": 1, "texture_half": 1}
    assert weights(0.1, "same", "half") == {"texture_same": 2}, "1.6 pixels deep: no cells of two"
    assert weights(0.1, "half") == {"texture_half": 1}, "where there is nothing finer it stays"


def test_a_crops_targets_are_those_of_the_whole() -> None:
    here = level()
    targets, _ = carried(here)
    crop = Box(4, 6, 12, 16)
    hole = as_flags(here.hole)
    whole, part = targets.terms(WHOLE, hole, 1.0, 5.0), targets.terms(crop, crop.of(hole), 1.0, 5.0)
    for name, stride in (("texture_same", 1), ("texture_half", 2), ("pixels", 1)):
        cells, a, b = crop.cells(stride), whole[name].target, part[name].target  # type: ignore[attr-defined]
        weight = cells.of(a.weight)
        assert torch.equal(weight, b.weight)
        torch.testing.assert_close(cells.of(a.value) * weight, b.value * weight)


def test_terms_of_no_weight_are_left_out() -> None:
    here = level()
    targets, _ = carried(here)
    assert list(targets.terms(WHOLE, as_flags(here.hole), 0.0, 5.0)) == ["pixels"]
    assert list(targets.terms(WHOLE, as_flags(here.hole), 1.0, 0.0)) == ["texture_same", "texture_half"]


def test_searched_targets_are_the_votes_of_the_nearest_patches() -> None:
    """Every patch that touches the hole, its nearest by looking at all, their overlap average."""
    here = level()
    targets = SearchedTargets(here, start(here), Toy(), ["same"], "euclidean")
    now = torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(3))
    term = targets.terms(WHOLE, as_flags(here.hole), 1.0, 0.0)["texture_same"].matched({"same": now})
    assert isinstance(term, Texture)
    picture, hole = here.image.transpose(2, 0, 1), here.hole
    corners = list(np.ndindex(14, 18))
    sources = [(y, x) for y, x in corners if not hole[y : y + 3, x : x + 3].any()]
    total, count = np.zeros((3, 16, 20)), np.zeros((16, 20))
    for y, x in corners:
        if hole[y : y + 3, x : x + 3].any():
            patch = now[0, :, y : y + 3, x : x + 3].numpy()
            distances = [((patch - picture[:, sy : sy + 3, sx : sx + 3]) ** 2).sum() for sy, sx in sources]
            sy, sx = sources[int(np.argmin(distances))]
            total[:, y : y + 3, x : x + 3] += picture[:, sy : sy + 3, sx : sx + 3]
            count[y : y + 3, x : x + 3] += 1
    np.testing.assert_allclose(term.target.value[0].numpy()[:, hole], (total / count.clip(1))[:, hole], atol=1e-5)
    np.testing.assert_array_equal(term.target.weight[0, 0], count * hole)


def test_known_features_are_the_networks() -> None:
    """Looked up in tiles, where the whole picture's would be; its border belongs to the border's tiles."""
    network = load_texture("compact")
    picture = torch.rand(1, 3, 333, 250, generator=torch.Generator().manual_seed(0))
    random = torch.Generator().manual_seed(1)
    cells, expected = {}, {}
    for tap, features in network(picture, network.taps).items():
        flat = features[0].flatten(1)
        cells[tap] = torch.randint(flat.shape[1], (500,), generator=random)
        expected[tap] = flat[:, cells[tap]].T
    for tap, found in KnownFeatures(network, picture)(cells).items():
        torch.testing.assert_close(found, expected[tap], atol=1e-5, rtol=1e-5)
