"""The carried field: what it may copy, and that it finds what brute force finds."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from patchloom.tensors import field as fields, search as searches, votes
from patchloom.tensors.search import Costs, search
from patchloom.tensors.threads import working

NOTHING = np.zeros((1, 1, 3), np.float32)


def canvas(picture: np.ndarray, hole: np.ndarray, radius: int) -> fields.Canvas:
    return fields.Canvas(
        picture=picture.copy(),
        hole=hole,
        sources=fields.source_centres(~hole, radius),
        weight=np.ones(hole.shape, np.float32),
        guide=NOTHING,
        means=NOTHING,
        guided=np.zeros(hole.shape, np.float32),
    )


def searched(picture: np.ndarray, hole: np.ndarray, radius: int, seed: int = 1, passes: int = 8) -> fields.Field:
    place = canvas(picture, hole, radius)
    field = fields.random_field(hole, place.sources, radius, seed)
    return search(field, place, Costs(0.0, 0.0), seed=seed, passes=passes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 2, 3]))
def test_no_source_patch_touches_the_hole_or_leaves_the_picture(seed: int, radius: int) -> None:
    random = np.random.default_rng(seed)
    picture = random.random((24, 30, 3), dtype=np.float32)
    hole = np.zeros((24, 30), bool)
    top, left = random.integers(0, 14), random.integers(0, 20)
    hole[top : top + 10, left : left + 10] = random.random((10, 10)) < 0.6
    hole[top, left] = True
    field = searched(picture, hole, radius, seed=seed % 1000, passes=2)
    for row, column in field.centres + field.offsets:
        patch = hole[row - radius : row + radius + 1, column - radius : column + radius + 1]
        assert patch.shape == (2 * radius + 1, 2 * radius + 1)
        assert not patch.any()


def test_the_search_comes_near_the_best_match_of_all() -> None:
    picture = np.random.default_rng(0).random((20, 20, 3), dtype=np.float32)
    hole = np.zeros((20, 20), bool)
    hole[9:11, 9:11] = True
    field = searched(picture, hole, 1, passes=30)
    sources = np.argwhere(fields.source_centres(~hole, 1))
    for (row, column), distance in zip(field.centres, field.distance, strict=True):
        patch = picture[row - 1 : row + 2, column - 1 : column + 2]
        every = [((patch - picture[y - 1 : y + 2, x - 1 : x + 2]) ** 2).mean() for y, x in sources]
        assert distance >= min(every) - 1e-6
        assert distance <= np.sort(every)[len(every) // 20]  # among the best twentieth


@pytest.mark.parametrize("channels", [3, 5])
def test_reported_distances_are_those_of_the_offsets(channels: int) -> None:
    """Channels beyond colour count like a colour; the mean is over colours."""
    picture = np.random.default_rng(3).random((16, 18, channels), dtype=np.float32)
    hole = np.zeros((16, 18), bool)
    hole[0:4, 0:5] = True  # touches the border: patches are cut there
    field = searched(picture, hole, 2, passes=3)
    for (row, column), (dy, dx), distance in zip(field.centres, field.offsets, field.distance, strict=True):
        total, count = 0.0, 0
        for y in range(max(0, row - 2), min(16, row + 3)):
            for x in range(max(0, column - 2), min(18, column + 3)):
                total += ((picture[y, x] - picture[y + dy, x + dx]) ** 2).sum()
                count += 3
        assert distance == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("channels", [3, 5])
def test_the_vote_is_the_mean_of_what_the_patches_say(channels: int) -> None:
    picture = np.random.default_rng(4).random((12, 12, channels), dtype=np.float32)
    hole = np.zeros((12, 12), bool)
    hole[5:7, 5:7] = True
    place = canvas(picture, hole, 1)
    field = fields.random_field(hole, place.sources, 1, seed=2)
    field.distance[:] = np.random.default_rng(6).random(len(field.distance))  # how well they match has no say
    voted = votes.vote(field, place)
    np.testing.assert_array_equal(place.picture, picture)  # what was there before is left alone
    for row, column in np.argwhere(hole):
        said = []
        for y in range(row - 1, row + 2):
            for x in range(column - 1, column + 2):
                dy, dx = field.offsets[field.numbers[y, x]]
                said.append(picture[row + dy, column + dx])
        np.testing.assert_allclose(voted.picture[row, column], np.mean(said, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(voted.picture[~hole], picture[~hole])


def test_voted_differences_are_those_within_the_sources() -> None:
    """Of every pair that touches the hole, known first pixels included; colours only."""
    picture = np.random.default_rng(7).random((14, 15, 5), dtype=np.float32)
    hole = np.zeros((14, 15), bool)
    hole[5:8, 6:9] = True
    place = canvas(picture, hole, 1)
    field = fields.random_field(hole, place.sources, 1, seed=2)
    voted = votes.voted_differences(field, place)
    for row, column in np.ndindex(*hole.shape):
        for axis, (down, right) in enumerate(((1, 0), (0, 1))):
            y, x = row + down, column + right
            if y >= 14 or x >= 15 or not (hole[row, column] or hole[y, x]):
                continue
            numbers = field.numbers[row - 1 + down : row + 2, column - 1 + right : column + 2].reshape(-1)
            sources = [(row, column) + field.offsets[number] for number in numbers if number >= 0]
            said = [picture[sy + down, sx + right, :3] - picture[sy, sx, :3] for sy, sx in sources]
            np.testing.assert_allclose(voted[row, column, axis], np.mean(said, axis=0), atol=1e-6)


def test_threads_do_not_change_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(5).random((40, 40, 3), dtype=np.float32)
    hole = np.zeros((40, 40), bool)
    hole[10:30, 10:30] = True
    monkeypatch.setattr(searches, "PIECE", 16)  # so that there is something to share
    alone = searched(picture, hole, 3)
    with working(3):
        shared = searched(picture, hole, 3)
    np.testing.assert_array_equal(alone.offsets, shared.offsets)
    np.testing.assert_array_equal(alone.distance, shared.distance)


def test_carrying_doubles_positions_and_offsets() -> None:
    coarse = np.zeros((16, 16), bool)
    coarse[6:8, 6:8] = True
    field = fields.random_field(coarse, fields.source_centres(~coarse, 1), 1, seed=0)
    field.offsets[:] = (-4, 2)
    hole = np.zeros((32, 32), bool)
    hole[12:16, 12:16] = True
    carried = fields.carry(field, hole, fields.source_centres(~hole, 1))
    assert (carried.offsets == (-8, 4)).all()
    np.testing.assert_array_equal(carried.numbers[12:16, 12:16] >= 0, True)


def test_a_vote_leaves_what_is_given_and_the_search_compares_it() -> None:
    """Two halves of equal noise that differ in a given channel alone: patches go to the half that has theirs."""
    noise = np.random.default_rng(2).random((40, 30, 3), dtype=np.float32) * 0.01
    mark = np.zeros((40, 60, 1), np.float32)
    mark[:, 30:] = 1.0
    picture = np.concatenate([np.concatenate([noise, noise], 1), mark], 2)
    hole = np.zeros((40, 60), bool)
    hole[16:24, 40:48] = True
    place = canvas(picture, hole, 2)._replace(given=1)
    field = fields.random_field(hole, place.sources, 2, seed=1)
    place = votes.vote(field, place)
    assert (place.picture[..., 3:] == mark).all()
    field = search(field, place, Costs(0.0, 0.0), seed=1, passes=6)
    assert ((field.centres + field.offsets)[:, 1] >= 30).all()


def test_an_offered_offset_that_fits_is_taken_by_every_patch() -> None:
    tile = np.random.default_rng(4).random((13, 17, 3), dtype=np.float32)
    picture = np.tile(tile, (6, 6, 1))
    hole = np.zeros(picture.shape[:2], bool)
    hole[30:40, 40:50] = True
    offered = np.array([[13, 17]], np.int32)
    place = canvas(picture, hole, 2)._replace(candidates=offered)
    field = fields.random_field(hole, place.sources, 2, seed=1)
    field = search(field, place, Costs(0.0, 0.0), seed=1, passes=1)
    np.testing.assert_allclose(field.distance, 0, atol=1e-9)


def test_the_largest_patch_by_hand() -> None:
    """Known are five rows of nine, then three: a patch of 5 fits into the first, one of 3 into both."""
    five, three = np.zeros((2, 9, 9), bool)
    five[:5], three[:3] = True, True
    assert [fields.largest_patch([five], most) for most in (3, 5, 9)] == [3, 5, 5]
    assert fields.largest_patch([five, three], 9) == 3
    assert fields.largest_patch([five, three[::-1, :] & five], 9) == 0


def test_what_is_used_often_costs_more_the_more_often() -> None:
    """Along stripes every source of the same phase fits a patch alike: without the cost of reuse chance and
    coherence decide how often one is taken; with it no piece is taken more than its fair share."""
    stripes = np.tile(np.float32([0, 1, 1, 0, 0, 1]), (60, 20))[..., None].repeat(3, 2)
    hole = np.zeros(stripes.shape[:2], bool)
    hole[20:40, 50:70] = True
    place = canvas(stripes, hole, 2)
    few = np.argwhere(place.sources)[:1]  # all patches from one source
    start = fields.random_field(hole, place.sources, 2, 0)
    start = start._replace(offsets=(few - start.centres).astype(np.int32))

    def most(reuse: float) -> int:
        found = search(start, place, Costs(0, 0, reuse), seed=1, passes=6)
        where = np.ravel_multi_index(tuple((found.centres + found.offsets).T), hole.shape)
        return int(np.bincount(where).max())

    assert most(0.1) < most(0.0) / 3
