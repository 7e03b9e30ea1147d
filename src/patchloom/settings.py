"""Every option of a fill, declared once.

A field's ``option(...)`` gives the command line its flag and help, the HTTP API its schema, the page its form,
the docs their table and the report its record. :class:`FillSettings` holds what changes pixels,
:class:`RunSettings` what only changes how the work is done, :class:`FileSettings` how files are read and written.
"""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, Unpack, get_args, get_origin

from patchloom.errors import SettingsError
from patchloom.formats import WRITTEN
from patchloom.overrides import FillOverrides


def option(default: Any, help: str, *, ge: float | None = None, le: float | None = None, section: str = "") -> Any:
    """A dataclass field with what every face of the program needs to know about it.

    ``default``: ``...`` where there is none. ``section``: the heading that it stands under, else its class's.
    """
    said = {"help": help, "ge": ge, "le": le, "section": section}
    metadata = {name: value for name, value in said.items() if value not in (None, "")}
    return field(default=dataclasses.MISSING if default is ... else default, metadata=metadata)


class Checked:
    """Gives a settings dataclass validation and a lossless way to and from plain dictionaries."""

    __slots__ = ()
    section: ClassVar[str] = "Options"

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for item in fields(self):  # type: ignore[arg-type]
            value = _checked(item.name, getattr(self, item.name), hints[item.name], item.metadata)
            object.__setattr__(self, item.name, value)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def section_of(cls, item: Field[Any]) -> str:
        """The heading under which a field stands."""
        return str(item.metadata.get("section", cls.section))

    @classmethod
    def check_names(cls, values: Mapping[str, Any]) -> None:
        """Raises SettingsError for the first name that is no option, with the one that is nearest to it."""
        known = [item.name for item in fields(cls)]  # type: ignore[arg-type]
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"Known settings: {', '.join(known)}."
                raise SettingsError(f"There is no setting '{name}'.", hint)

    def but(self, given: Mapping[str, Any]) -> Self:
        """The same settings with those ``given``; None counts as not given. Raises SettingsError."""
        self.check_names(given)
        values = {name: value for name, value in given.items() if value is not None}
        return replace(self, **values)  # type: ignore[type-var]

    @classmethod
    def from_form(cls, texts: Mapping[str, str]) -> Self:
        """From the fields of a form. Raises SettingsError."""
        cls.check_names(texts)
        hints = typing.get_type_hints(cls)
        return cls(**{name: from_text(hints[name], text) for name, text in texts.items()})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        cls.check_names(values)
        return cls(**values)


def from_text(hint: Any, text: str) -> Any:
    """What ``text``, as a form sends it, stands for where ``hint`` is wanted; itself if it stands for nothing."""
    _, kind = alternatives(hint)
    if kind is bool:
        return {"true": True, "false": False}.get(text, text)
    if kind is int and text.isascii() and text.removeprefix("-").isdecimal():
        return int(text)
    return text


def _checked(name: str, value: Any, hint: Any, metadata: Mapping[str, Any]) -> Any:
    """``value`` as ``hint`` wants it, or SettingsError. NaN and infinities are never settings."""
    words, hint = alternatives(hint)
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # a number of NumPy's
    if value in words:
        return value
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise SettingsError(f"{name} is {value!r}.", f"Use one of: {', '.join(map(str, get_args(hint)))}.")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        kind = " or ".join([_kind(hint), *(repr(word) for word in words if word is not None)])
        raise SettingsError(f"{name} must be {kind}, not {value!r}.", f"Give {name} as {kind}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{name} is {value}.", f"Give {name} as a finite number.")
    low, high = metadata.get("ge"), metadata.get("le")
    if (low is not None and value < low) or (high is not None and value > high):
        span = f"from {low} to {high}" if low is not None and high is not None else f"of {low} or more"
        raise SettingsError(f"{name} is {value}.", f"Give {name} a value {span}.")
    return value


def _is_choice(hint: Any) -> bool:
    return get_origin(hint) is Literal


def alternatives(hint: Any) -> tuple[tuple[Any, ...], Any]:
    """``int | Literal["keep"]`` -> (("keep",), int); ``str | None`` -> ((None,), str); ``int`` -> ((), int)."""
    origin: Any = get_origin(hint)
    if origin not in (typing.Union, types.UnionType):
        return (), hint
    parts: list[Any] = [part for part in get_args(hint) if part is not type(None)]
    main = min(parts, key=_is_choice)  # a type, or else the only choice of words
    words = [word for part in get_args(hint) if part is not main for word in (get_args(part) or (None,))]
    return tuple(words), main


def _kind(hint: Any) -> str:
    kinds = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    return kinds.get(hint, str(hint))


Preset = Literal["fast", "balanced", "best", "paper"]
Matching = Literal["carried", "searched"]
Structure = Literal["off", "auto", "on"]
Metric = Literal["euclidean", "correlation"]
Align = Literal["auto", "always", "never"]
Wrap = Literal["off", "x", "y", "xy"]
Alpha = Literal["fill", "keep"]
Optimised = Literal["last", "all"]
Optimiser = Literal["adam", "lbfgs"]


_shared = partial(option, section="Options")
_network = partial(option, section="Networks")
_neural = partial(option, section="Neural stage")
_paper = partial(option, section="With matching searched")


@dataclass(frozen=True, kw_only=True, slots=True)
class FillSettings(Checked):
    """What changes pixels. Two fills with equal settings, inputs, version and device are equal."""

    section = "Method"

    preset: Preset = _shared("balanced", "The settings this started from; an option given overrides it.")
    seed: int = _shared(
        0, "Chooses among good ways to fill; the same seed gives the same bytes.", ge=0, le=2**31 - 1
    )
    grow: int | Literal["auto"] = _shared(
        0,
        "Grow the hole by this many pixels first; 0 fills exactly the mask, auto grows a mask painted by hand as "
        "the page does, and takes in what it left of the object.",
        ge=0,
        le=256,
    )
    feather: int = _shared(
        0,
        "Blend the rim over this many pixels inside the hole, on top of growing it by as many.",
        ge=0,
        le=256,
    )
    content: str = _network(
        "auto",
        "The coarse fill: auto, patches (from the photo itself), none (smooth membrane), or a content network's "
        "name or file (.safetensors, .onnx, .pt).",
    )
    texture: str = _network(
        "auto", "The texture network: auto, none, vgg19, compact, or a weights file (.safetensors, .pth)."
    )

    wrap: Wrap = option(
        "off",
        "Which edges are neighbours: x left and right (a panorama of 360 degrees), y top and bottom, xy both (a "
        "tile).",
    )
    alpha: Alpha = option("fill", "Transparency inside the hole: fill it from around, or keep it as it is.")
    align: Align = option(
        "auto",
        "Of references: auto takes over what those that can be aligned show of the hole, and copies texture from "
        "the others; always: aligned ones alone; never: texture alone.",
    )
    guide_weight: float = option(2.0, "How strongly the guide steers the choice of patches.", ge=0, le=100)
    structure: Structure = option(
        "auto",
        "auto: lines that surely cross the hole are found and carried through; on: less sure ones as well, for "
        "cables, kerbs, joints and patterns; off: none.",
    )

    matching: Matching = _neural(
        "carried", "Nearest patches: carried (the exemplar start's field) or searched (in texture features)."
    )
    layers: str = _neural("relu1_1,relu2_1,relu3_1", "Texture layers, comma-separated.")
    iterations: int = _neural(
        8, "Optimiser iterations a level; 0 leaves the exemplar fill as it is.", ge=0, le=5000
    )
    optimiser: Optimiser = _neural("adam", "adam (few steps from a good start) or lbfgs (the paper's).")
    texture_weight: float = _neural(1.0, "Weight of the texture term.", ge=0, le=1e6)
    pixel_weight: float = _neural(5.0, "Weight of the pixels voted by the carried field.", ge=0, le=1e6)
    content_weight: float = _neural(10.0, "Weight of staying near the coarser level's picture.", ge=0, le=1e6)
    tv_weight: float = _neural(0.0, "Weight of total variation.", ge=0, le=1e6)

    optimised: Optimised = _paper(
        "last", "Levels that searched patches optimise: the last (native size) or all (128, 256, 512 px)."
    )
    levels: int = _paper(0, "Most of these levels; 0 takes all.", ge=0, le=16)
    metric: Metric = _paper(
        "euclidean", "How searched patches are compared: euclidean (paper) or correlation (code)."
    )
    rematch_every: int = _paper(10, "Iterations between two searches; 0 searches once a level.", ge=0, le=1000)


FROM_LIBRARY = 5  # photographs of a library that a hole takes, unless asked otherwise


@dataclass(frozen=True, kw_only=True, slots=True)
class HarmoniseSettings(Checked):
    """What changes the pixels of an object that is brought to the light of a photograph."""

    strength: float = option(1.0, "How far the object goes: 0 leaves it as it is, 1 all the way.", ge=0, le=1)
    style: bool = option(False, "Give it the brush of its surroundings as well: for paintings.")
    texture: str = option(
        "auto", "The texture network: auto, none, vgg19, compact, or a weights file (.safetensors, .pth)."
    )
    texture_share: float = option(
        0.0, "How much of its texture the object takes from similar patches around it.", ge=0, le=1
    )
    iterations: int = option(15, "Optimiser iterations a scale of the texture.", ge=1, le=5000)
    seed: int = option(0, "Of the grain that is added; the same seed gives the same bytes.", ge=0, le=2**31 - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSettings(Checked):
    """How the work is done; changes no pixel beyond what a device's arithmetic does."""

    section = "Machine"

    device: str = option("auto", "auto, cpu, cuda, cuda:N or mps.")
    threads: int = option(
        0,
        "Threads; 0 takes one for each processor that this process may use. Their number changes no pixel.",
        ge=0,
        le=1024,
    )
    max_memory: int = option(0, "Memory limit in MB; 0 takes what the machine has free.", ge=0, le=10_000_000)
    trust: bool = option(
        False, "Run a network that is TorchScript (.pt), a program that can do whatever you can, unverified."
    )
    time_limit: float = option(0.0, "Seconds after which to stop; 0 is no limit.", ge=0, le=1e7)


MaskMode = Literal["auto", "white", "black", "alpha", "color", "labels"]
if typing.TYPE_CHECKING:
    Format = str
else:
    Format = Literal[WRITTEN]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSettings(Checked):
    """How photos and masks are read, and results written."""

    section = "Files"

    mask_mode: MaskMode = option(
        "auto",
        "What marks the hole in the mask; auto understands white or any colour on black, paint on transparency, "
        "parts cut out, class ids, and annotations of COCO and labelme, and says what it saw.",
    )
    mask_class: str = option(
        "",
        "Of a mask of several classes (annotations, class ids), those to fill: their names or numbers, separated "
        "by commas.",
    )
    format: Format | None = option(None, "Write this format; else what the result's name says, else the photo's.")
    quality: int | Literal["keep"] = option(
        "keep", "Of JPEG, WebP and AVIF, 1 to 100; keep: as the photo was coded.", ge=1, le=100
    )
    strip_metadata: bool = option(False, "Leave out EXIF, XMP, text and dpi.")
    allow_cmyk: bool = option(False, "Turn a CMYK photo into RGB instead of refusing it.")
    page: int = option(
        0,
        "Of a file of several pages or frames, the one to fill, from 1; a TIFF keeps the others.",
        ge=0,
        le=99999,
    )


PRESETS: dict[str, FillSettings] = {
    "fast": FillSettings(preset="fast", iterations=0),
    "balanced": FillSettings(),
    "best": FillSettings(preset="best", iterations=30, texture_weight=2.0),
    "paper": FillSettings(
        preset="paper",
        content="auto",
        texture="vgg19",
        optimised="all",
        matching="searched",
        layers="relu3_1,relu4_1",
        iterations=100,
        optimiser="lbfgs",
        pixel_weight=0.0,
    ),
}

PRESET_HELP: dict[str, str] = {
    "fast": "One way to fill, not optimised: a quick look.",
    "balanced": "The best picture for reasonable time; the default.",
    "best": "Twice the iterations, at twice the texture weight: a little sharper, in half as much time again.",
    "paper": "The loop of Yang et al. 2017 (docs/method.md says where it differs); needs VGG-19 weights; slow.",
}


def fill_settings(preset: str = "balanced", **overrides: Unpack[FillOverrides]) -> FillSettings:
    """The preset's settings with ``overrides`` (None counts as not given). Raises SettingsError."""
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset '{preset}'.", f"Use one of: {', '.join(PRESETS)}.")
    return PRESETS[preset].but(overrides)
