"""The objective's terms against literal sums."""

import torch

from patchloom.method.losses import Content, LowPassContent, Pixels, Target, Term, Texture, TotalVariation
from patchloom.tensors.boxes import Box, Tile
from patchloom.tensors.patches import unfold, vote


def literal_texture(features: torch.Tensor, patches: torch.Tensor, windows: torch.Tensor) -> torch.Tensor:
    """1/(9 C |R|) sum over patches of the squared distance to their nearest one, patch by patch."""
    total = features.new_zeros(())
    cut = unfold(features)
    for window, nearest in zip(windows, patches, strict=True):
        total = total + (cut[window] - nearest).square().sum()
    return total / (len(windows) * patches.shape[1])


def test_the_vote_form_is_the_patch_sum_up_to_a_constant() -> None:
    random = torch.Generator().manual_seed(0)
    windows = torch.tensor([0, 1, 5, 6, 13])
    patches = torch.randn(5, 4 * 9, generator=random, dtype=torch.float64)
    a, b = (torch.randn(1, 4, 6, 7, generator=random, dtype=torch.float64, requires_grad=True) for _ in range(2))
    value, count = vote(patches, windows, (6, 7))
    term = Texture(1.0, "layer", 1, Target.of_crop(value, count))
    by_vote = term(a, {"layer": a}) - term(b, {"layer": b})
    by_patch = literal_texture(a, patches, windows) - literal_texture(b, patches, windows)
    torch.testing.assert_close(by_vote, by_patch, atol=1e-10, rtol=0)
    gradients = [torch.autograd.grad(loss, a)[0] for loss in (by_vote, by_patch)]
    torch.testing.assert_close(*gradients, atol=1e-10, rtol=0)


def test_total_variation_by_hand() -> None:
    """A lone bright hole pixel in a 5x5 picture differs from its four neighbours; one at a corner from two."""
    x = torch.zeros(1, 3, 5, 5)
    hole = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    hole[0, 0, 2, 2] = True
    x[:, :, 2, 2] = 2.0
    assert float(TotalVariation.of_crop(1.0, hole)(x, {})) == 4 * 4.0
    x, hole = x.roll((-2, -2), (2, 3)), hole.roll((-2, -2), (2, 3))
    assert float(TotalVariation.of_crop(1.0, hole)(x, {})) == 2 * 4.0
    x[:, :, 4, 4] = 9.0  # a step between known pixels costs nothing
    assert float(TotalVariation.of_crop(1.0, hole)(x, {})) == 2 * 4.0


def test_content_counts_the_hole_only() -> None:
    x, prior = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 3, 4, 4)
    hole = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    hole[..., :2, :] = True
    assert float(Content.of_crop(1.0, prior, hole)(x, {})) == 0.25
    prior[..., 2:, :] = 7.0
    assert float(Content.of_crop(1.0, prior, hole)(x, {})) == 0.25


def test_the_low_pass_compares_means_of_blocks() -> None:
    """Of two blocks of 4x4, one is all hole and a fifth too bright, one is known but for a pixel."""
    prior = torch.zeros(1, 3, 4, 8)
    hole = torch.zeros(1, 1, 4, 8, dtype=torch.bool)
    hole[..., :4], hole[..., 0, 4] = True, True
    x = torch.where(hole, 0.2, 9.0).expand(1, 3, 4, 8)
    expected = (0.2**2 + (0.2 / 16) ** 2) / (1 + 1 / 16)
    assert abs(float(LowPassContent.of_crop(1.0, prior, hole)(x, {})) - expected) < 1e-6
    x = x.clone()
    x[..., 0, 0], x[..., 0, 1] = 0.5, -0.1  # details within a block do not count
    assert abs(float(LowPassContent.of_crop(1.0, prior, hole)(x, {})) - expected) < 1e-6


def _terms() -> tuple[torch.Tensor, dict[str, Term]]:
    """A picture of 16x24 and one term of every kind, of random contents, in double precision."""
    random = torch.Generator().manual_seed(2)
    x, prior, value = (torch.rand(1, 3, 16, 24, generator=random, dtype=torch.float64) for _ in range(3))
    hole = torch.rand(1, 1, 16, 24, generator=random) < 0.5
    layer = torch.rand(1, 3, 8, 12, generator=random, dtype=torch.float64)
    counts = torch.rand(1, 1, 8, 12, generator=random, dtype=torch.float64)
    return x, {
        "texture": Texture(1.0, "layer", 2, Target.of_crop(layer, counts)),
        "pixels": Pixels(5.0, Target.of_crop(value, hole.double())),
        "content": Content.of_crop(10.0, prior, hole),
        "low pass": LowPassContent.of_crop(10.0, prior, hole),
        "tv": TotalVariation.of_crop(0.1, hole),
    }


def _features(x: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"layer": torch.nn.functional.avg_pool2d(x, 2)}


def test_the_gradient_of_every_term() -> None:
    x, terms = _terms()
    x.requires_grad_(True)
    for term in terms.values():
        assert torch.autograd.gradcheck(lambda z, term=term: term(z, _features(z)), (x,))


def test_tiles_add_up_to_the_whole() -> None:
    """Values and gradients; the tiles' own pixels are disjoint, their surroundings overlap."""
    x, terms = _terms()
    inner = [Box(0, 0, 8, 12), Box(8, 0, 16, 12), Box(0, 12, 16, 24)]
    for name, term in terms.items():
        z = x.clone().requires_grad_(True)
        whole = term(z, _features(z))
        (gradient,) = torch.autograd.grad(whole, z)
        total, summed = 0.0, torch.zeros_like(x)
        for box in inner:
            tile = Tile(box.widened(4, (16, 24)), box)
            crop = tile.box.of(x).clone().requires_grad_(True)
            value = term.of(tile)(crop, _features(crop))
            total += float(value.detach())
            tile.box.of(summed).add_(torch.autograd.grad(value, crop)[0])
        assert abs(total - float(whole.detach())) < 1e-12, name
        torch.testing.assert_close(summed, gradient, atol=1e-14, rtol=0)
