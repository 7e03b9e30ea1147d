"""Texture networks: the arithmetic of VGG-19 and its input conventions, against NumPy written from the papers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from patchloom.errors import WeightsError
from patchloom.networks.texture import VARIANTS, Compact, TextureNetwork, Vgg19
from patchloom.networks.weights import load_texture

PREFIX = Path(__file__).parents[3] / "shared" / "weights" / "vgg19-relu3_1.safetensors"
needs_prefix = pytest.mark.skipif(not PREFIX.is_file(), reason=f"no {PREFIX.name} beside the checkout")


def convolve(
    x: NDArray[np.float64], weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """3x3 convolution with zeros around, then ReLU: (C, H, W) -> (K, H, W)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.maximum(np.einsum("chwij,kcij->khw", windows, weight) + bias[:, None, None], 0)


def halve(x: NDArray[np.float64], ceil: bool) -> NDArray[np.float64]:
    """2x2 maxima; a last odd row or column is kept with ``ceil``, dropped without."""
    height, width = x.shape[1:]
    rows, columns = ((height + 1) // 2, (width + 1) // 2) if ceil else (height // 2, width // 2)
    out = np.empty((x.shape[0], rows, columns))
    for row in range(rows):
        for column in range(columns):
            out[:, row, column] = x[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].max((1, 2))
    return out


def caffe_input(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """RGB 0..1 -> blue, green, red in 0..255, minus Caffe's means."""
    red, green, blue = picture * 255
    return np.stack([blue - 103.939, green - 116.779, red - 123.68])


def torchvision_input(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    red, green, blue = picture
    return np.stack([(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225])


INPUTS = {"caffe": caffe_input, "normalised": caffe_input, "torchvision": torchvision_input}


@pytest.mark.parametrize("variant", VARIANTS)
def test_vgg19_computes_what_its_variant_says(variant: str) -> None:
    random = np.random.default_rng(1)
    torch.manual_seed(1)
    network = Vgg19(variant, "2_1")
    weights = [(c.weight.double().numpy(), c.bias.double().numpy()) for c in network.convolutions.values()]
    picture = random.random((3, 7, 6))

    one_1 = convolve(INPUTS[variant](picture), *weights[0])
    one_2 = convolve(one_1, *weights[1])
    two_1 = convolve(halve(one_2, ceil=variant != "torchvision"), *weights[2])

    features = network(torch.from_numpy(picture).float()[None], ["relu1_1", "relu2_1"])
    assert np.allclose(features["relu1_1"][0], one_1, rtol=1e-4, atol=1e-4)
    assert np.allclose(features["relu2_1"][0], two_1, rtol=1e-4, atol=1e-4)


@needs_prefix
def test_the_real_prefix_takes_blue_green_red() -> None:
    """relu1_1 by hand from the file: a swapped channel order gives other numbers."""
    network = load_texture(str(PREFIX))
    first = network.convolutions["1_1"]  # type: ignore[union-attr]
    picture = np.random.default_rng(2).random((3, 8, 9))
    expected = convolve(caffe_input(picture), first.weight.double().numpy(), first.bias.double().numpy())
    swapped = convolve(caffe_input(picture[::-1]), first.weight.double().numpy(), first.bias.double().numpy())
    given = network(torch.from_numpy(picture).float()[None], ["relu1_1"])["relu1_1"][0]
    assert np.allclose(given, expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(given, swapped, rtol=1e-1, atol=1e-1)


@needs_prefix
def test_the_real_prefix_is_recognised_by_its_hash() -> None:
    network = load_texture(str(PREFIX))
    assert network.config == {"variant": "normalised", "deepest": "3_1"}
    assert load_texture(f"{PREFIX}@torchvision").config["variant"] == "torchvision"


@pytest.mark.parametrize("network", [Vgg19("caffe", "3_1"), Compact()], ids=lambda network: type(network).__name__)
def test_taps_strides_and_depth(network: TextureNetwork) -> None:
    x = torch.rand(2, 3, 13, 18)
    features = network(x, ["relu3_1", "relu1_1"])
    assert set(features) == {"relu1_1", "relu3_1"}
    for tap, feature in features.items():
        stride = network.stride(tap)
        assert feature.shape[2:] == (-(-13 // stride), -(-18 // stride))
    called: list[torch.nn.Module] = []
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (3, 3):
            module.register_forward_hook(lambda layer, *_: called.append(layer))
    network(x, ["relu1_1"])
    assert len(called) == 1
    with pytest.raises(WeightsError, match="relu5_1"):
        network(x, ["relu5_1"])


def test_vgg19_from_other_peoples_state_dicts() -> None:
    reference = Vgg19("caffe", "2_1")
    positions = {"1_1": 0, "1_2": 2, "2_1": 5}
    torchvision, caffe = {"classifier.0.weight": torch.zeros(1)}, {}
    for name, layer in reference.convolutions.items():
        for part in ("weight", "bias"):
            torchvision[f"features.{positions[name]}.{part}"] = getattr(layer, part)
            caffe[f"conv{name}.{part}"] = getattr(layer, part)
    x = torch.rand(1, 3, 8, 8)
    expected = reference(x, ["relu2_1"])["relu2_1"]
    for state in (torchvision, caffe):
        assert torch.equal(Vgg19.from_state(state, "caffe")(x, ["relu2_1"])["relu2_1"], expected)
    with pytest.raises(WeightsError):
        Vgg19.from_state(
            {"features.0.weight": torch.zeros(64, 3, 5, 5), "features.0.bias": torch.zeros(64)}, "caffe"
        )
    with pytest.raises(WeightsError):
        Vgg19.from_state({"head.weight": torch.zeros(1)}, "caffe")


def test_compact_sees_no_farther_than_vgg19() -> None:
    """A changed pixel reaches no cell of relu3_1 that VGG-19 would not let it reach."""
    torch.manual_seed(3)
    reached = []
    x = torch.rand(1, 3, 64, 64)
    changed = x.clone()
    changed[..., 32, 33] += 0.5
    for network in (Vgg19("caffe", "3_1"), Compact()):
        with torch.no_grad():
            difference = network(changed, ["relu3_1"])["relu3_1"] - network(x, ["relu3_1"])["relu3_1"]
        reached.append(difference.abs().amax((0, 1)) > 1e-6)
    assert reached[1].any()
    assert not (reached[1] & ~reached[0]).any()


def test_compact_ignores_the_border_of_a_flat_picture() -> None:
    features = Compact()(torch.full((1, 3, 20, 20), 0.3), ["relu3_1"])["relu3_1"]
    assert (features - features[..., :1, :1]).abs().max() < 1e-5
