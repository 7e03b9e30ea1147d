"""The rim and the composite."""

import numpy as np
import pytest

from patchloom.tensors.compose import composite, rim_weights


def test_the_ramp_lies_inside_the_hole() -> None:
    hole = np.zeros((1, 9), bool)
    hole[0, 2:9] = True  # runs out of the picture, where there is no rim
    np.testing.assert_allclose(rim_weights(hole, 3)[0], [0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1])
    np.testing.assert_array_equal(rim_weights(hole, 0), hole)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_outside_bit_for_bit_and_inside_rounded(dtype: type, top: float) -> None:
    random = np.random.default_rng(0)
    known = (random.random((5, 6, 3)) * top).astype(dtype)
    hole = random.random((5, 6)) < 0.5
    fill = random.random((5, 6, 3)).astype(np.float32)
    result = composite(known, fill, hole.astype(np.float32), top)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result[~hole], known[~hole])
    np.testing.assert_allclose(result[hole], fill[hole] * top, atol=0.51 if top > 1 else 1e-6)
