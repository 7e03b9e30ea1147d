"""What calls may override, for type checkers; made from settings.py by docs/reference.py."""

from typing import Literal, TypedDict


class FillOverrides(TypedDict, total=False):
    """Fields of :class:`~patchloom.settings.FillSettings`; None is not given."""

    seed: int | None
    grow: int | Literal["auto"] | None
    feather: int | None
    content: str | None
    texture: str | None
    wrap: Literal["off", "x", "y", "xy"] | None
    alpha: Literal["fill", "keep"] | None
    align: Literal["auto", "always", "never"] | None
    guide_weight: float | None
    structure: Literal["off", "auto", "on"] | None
    matching: Literal["carried", "searched"] | None
    layers: str | None
    iterations: int | None
    optimiser: Literal["adam", "lbfgs"] | None
    texture_weight: float | None
    pixel_weight: float | None
    content_weight: float | None
    tv_weight: float | None
    optimised: Literal["last", "all"] | None
    levels: int | None
    metric: Literal["euclidean", "correlation"] | None
    rematch_every: int | None


class HarmoniseOverrides(TypedDict, total=False):
    """Fields of :class:`~patchloom.settings.HarmoniseSettings`; None is not given."""

    strength: float | None
    style: bool | None
    texture: str | None
    texture_share: float | None
    iterations: int | None
    seed: int | None
