"""The minimiser: its objective against the whole picture's, its steps against torch's, what it may change."""

import pytest
import torch
from toy import Toy

from patchloom.method import optimise
from patchloom.method.losses import Content, Pixels, Target, Term, Texture, TotalVariation
from patchloom.method.optimise import Crop, Objective, Schedule, minimise
from patchloom.networks.weights import load_texture
from patchloom.tensors.threads import working


def problem(height: int = 56, width: int = 80) -> tuple[Crop, dict[str, Term]]:
    """A noisy crop with a hole, whose terms are random."""
    random = torch.Generator().manual_seed(1)
    image, prior, value = (torch.rand(1, 3, height, width, generator=random) for _ in range(3))
    hole = torch.zeros(1, 1, height, width, dtype=torch.bool)
    hole[..., 12 : height - 12, 12 : width - 12] = True
    hole[..., 20:24, 24:28] = False
    return Crop(image, hole), {
        "pixels": Pixels(5.0, Target.of_crop(value, hole.float())),
        "content": Content.of_crop(10.0, prior, hole),
        "tv": TotalVariation.of_crop(0.3, hole),
    }


def textured(crop: Crop, terms: dict[str, Term]) -> dict[str, Term]:
    """``terms`` and a texture term of each layer of the compact network, of random targets at hole cells."""
    network = load_texture("compact")
    random = torch.Generator().manual_seed(2)
    for tap, features in network(crop.image, network.taps).items():
        stride = network.stride(tap)
        cells = torch.nn.functional.max_pool2d(crop.hole.float(), stride)
        value = features + torch.randn(features.shape, generator=random)
        terms = {tap: Texture(1.0, tap, stride, Target.of_crop(value, cells)), **terms}
    return terms


def test_tiles_give_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's features at a hole cell depend on no more of the picture than a tile shows of it."""
    crop, terms = problem()
    terms, network = textured(crop, terms), load_texture("compact")
    x = crop.image.clone().requires_grad_(True)
    features = network(x, network.taps)
    values = {name: term(x, features) for name, term in terms.items()}
    (expected,) = torch.autograd.grad(torch.stack(list(values.values())).sum() * crop.hole.sum(), x)
    monkeypatch.setattr(optimise, "MOST", 200)
    objective = Objective(crop, network, terms)
    assert len(objective.tiles) > 3
    pixels = objective.start()
    objective.match(pixels)
    losses, gradient = objective(pixels)
    for name, value in values.items():
        assert losses[name] == pytest.approx(float(value.detach()), rel=1e-5)
    torch.testing.assert_close(gradient, expected[objective.hole], atol=1e-4, rtol=1e-4)
    with working(3):
        assert torch.equal(objective(pixels)[1], gradient)  # threads change nothing


def test_adam_is_torchs_with_the_usual_gradient_for_epsilon() -> None:
    target = torch.rand(50, generator=torch.Generator().manual_seed(0))

    def evaluate(now: torch.Tensor) -> tuple[float, torch.Tensor]:
        return float((now - target).pow(4).sum()), 4 * (now - target).pow(3)

    ours, steps = torch.zeros(50), 9
    adam = optimise._Adam(steps)
    theirs, squares = torch.zeros(50, requires_grad=True), torch.zeros(50)
    optimiser = torch.optim.Adam([theirs])
    for step in range(steps):
        ours = adam.step(ours, evaluate)
        theirs.grad = evaluate(theirs.detach())[1]
        squares = 0.999 * squares + 0.001 * theirs.grad.square()
        optimiser.param_groups[0]["eps"] = float((squares / (1 - 0.999 ** (step + 1))).mean().sqrt())
        optimiser.param_groups[0]["lr"] = 0.02 * (0.004 / 0.02) ** (step / (steps - 1))
        optimiser.step()
    torch.testing.assert_close(ours, theirs.detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_the_last_losses_told_are_those_of_the_result(optimiser: str) -> None:
    """Also where the last iterate is not the best: at a minimum Adam's first steps lead away from it."""
    crop, terms = problem()
    terms = {"pixels": Pixels(5.0, Target.of_crop(crop.image, crop.hole.float()))}  # satisfied from the start
    told: list[dict[str, float]] = []
    result = minimise(crop, Toy(), terms, Schedule(3, optimiser), lambda step, losses, x: told.append(losses))
    objective = Objective(Crop(result, crop.hole), Toy(), terms)
    objective.match(objective.start())
    assert told[-1]["total"] == pytest.approx(objective(objective.start())[0]["total"], abs=1e-9)
    assert told[-1]["total"] <= min(losses["total"] for losses in told)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_the_loss_falls_and_known_pixels_stay(optimiser: str) -> None:
    crop, terms = problem()
    totals: list[float] = []
    filled = minimise(
        crop, Toy(), terms, Schedule(24, optimiser), lambda step, losses, picture: totals.append(losses["total"])
    )
    assert totals[-1] < 0.7 * totals[0]
    assert torch.equal(filled.where(~crop.hole, 0), crop.image.where(~crop.hole, 0))
    assert not torch.equal(filled, crop.image)


def test_a_quadratic_is_minimised_where_it_should_be() -> None:
    """Pixels pulled to v with weight 5 and to p with weight 10, nothing else: the minimum is (v + 2 p) / 3."""
    crop, terms = problem()
    del terms["tv"]
    value, prior = terms["pixels"].target.value, terms["content"].prior  # type: ignore[attr-defined]
    filled = minimise(crop, Toy(), terms, Schedule(60, "lbfgs"), lambda *_: None)
    expected = torch.where(crop.hole, (value + 2 * prior) / 3, crop.image)
    torch.testing.assert_close(filled, expected, atol=1e-4, rtol=0)


def test_where_nothing_is_to_gain_nothing_is_lost() -> None:
    """Adam's first steps are as long at the minimum as elsewhere; the best picture met is the result."""
    crop, _ = problem()
    terms: dict[str, Term] = {"content": Content.of_crop(1.0, crop.image, crop.hole)}
    filled = minimise(crop, Toy(), terms, Schedule(5, "adam"), lambda *_: None)
    assert torch.equal(filled, crop.image)


def test_raising_in_watch_stops() -> None:
    crop, terms = problem()
    seen = []

    def watch(step: int, losses: dict[str, float], picture: torch.Tensor) -> None:
        seen.append(step)
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minimise(crop, Toy(), terms, Schedule(9, "adam"), watch)
    assert seen == [1, 2]
