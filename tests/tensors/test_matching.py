"""The search by convolution and maximum against a double loop."""

import pytest
import torch
import torch.nn.functional as F

from patchloom.tensors.matching import candidate_patches, nearest_patches
from patchloom.tensors.patches import unfold


def maps(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(1, 4, 7, 8, generator=random), torch.rand(1, 4, 9, 10, generator=random)


@pytest.mark.parametrize("metric", ["euclidean", "correlation"])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_matches_are_those_of_brute_force(metric: str, block: int) -> None:
    queries, known = maps(3)
    allowed = torch.rand(7 * 8, generator=torch.Generator().manual_seed(5)) < 0.6
    candidates = candidate_patches(known, allowed)
    found = nearest_patches(queries, candidates, metric=metric, block=block)
    for query, index in zip(unfold(queries), found, strict=True):
        if metric == "euclidean":
            scores = [-float((query - candidate).square().sum()) for candidate in candidates]
        else:
            scores = [float(F.cosine_similarity(query, candidate, dim=0)) for candidate in candidates]
        assert scores[index] == pytest.approx(max(scores), abs=1e-5)


def test_a_patch_finds_itself() -> None:
    _, known = maps(1)
    candidates = unfold(known)
    assert torch.equal(nearest_patches(known, candidates), torch.arange(len(candidates)))
