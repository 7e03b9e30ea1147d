"""The objective's terms against literal sums."""

import torch

from patchloom.method.losses import Target, Weights, content_term, objective, texture_term, total_variation
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
    target = Target(value, count)
    by_vote = texture_term(a, target) - texture_term(b, target)
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
    assert float(total_variation(x, hole)) == 4 * 4.0
    x, hole = x.roll((-2, -2), (2, 3)), hole.roll((-2, -2), (2, 3))
    assert float(total_variation(x, hole)) == 2 * 4.0
    x[:, :, 4, 4] = 9.0  # a step between known pixels costs nothing
    assert float(total_variation(x, hole)) == 2 * 4.0


def test_content_counts_the_hole_only() -> None:
    x, prior = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 3, 4, 4)
    hole = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    hole[..., :2, :] = True
    assert float(content_term(x, prior, hole)) == 0.25
    prior[..., 2:, :] = 7.0
    assert float(content_term(x, prior, hole)) == 0.25


def test_the_gradient_of_the_whole_objective() -> None:
    random = torch.Generator().manual_seed(2)
    x, prior, value = (torch.rand(1, 3, 8, 8, generator=random, dtype=torch.float64) for _ in range(3))
    hole = torch.rand(1, 1, 8, 8, generator=random) < 0.5
    pixels = Target(value, hole.double())
    layer = Target(torch.zeros(1, 3, 4, 4, dtype=torch.float64), torch.ones(1, 1, 4, 4, dtype=torch.float64))

    def total(z: torch.Tensor, low_pass: bool) -> torch.Tensor:
        weights = Weights(texture=1.0, content=10.0, pixel=5.0, tv=0.1, low_pass=low_pass)
        features = {"layer": torch.nn.functional.avg_pool2d(z, 2)}
        return objective(z, features, {"layer": layer}, pixels, prior, hole, weights)["total"]

    x.requires_grad_(True)
    assert torch.autograd.gradcheck(total, (x, False))
    assert torch.autograd.gradcheck(total, (x, True))
