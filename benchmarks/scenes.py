"""Rendered scenes with a hole through which something goes on: lines, edges, curves, patterns, and their truth.

A scene is a background, *structures* painted over it, and a hole. What makes a structure is a curve, a dense row
of points; every pixel knows its signed distance to it, so poles, cables, kerbs and rings are one formula. The
``layer`` is what the structures alone add, without texture or noise: what a fill has to bring into the hole.
Everything follows from the kind and the number of a scene.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

SIDE = 208  # pixels of a scene
DEPTHS = (32, 52, 76)  # widths of the holes, by turns
AN_EACH = 15  # scenes of a kind


@dataclass(frozen=True)
class Curve:
    """``points`` (N, 2) as x, y, a quarter of a pixel apart; ``reach``: pixels a side that show its profile.

    ``tolerance``: how many pixels aside it may come through and still be the same curve.
    """

    points: Floats
    reach: float = 6.0
    tolerance: float = 3.0
    straight: bool = False

    @property
    def normals(self) -> Floats:
        """(N, 2), of length 1, to the right of the direction of the points."""
        along = np.gradient(self.points, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        return np.stack([along[:, 1], -along[:, 0]], axis=1)

    def distance(self) -> Floats:
        """(SIDE, SIDE): signed distance of every pixel."""
        if self.straight:
            (x, y), (u, v) = self.points[0], self.normals[0]
            return np.add.outer((np.arange(SIDE) - y) * v, (np.arange(SIDE) - x) * u)
        pixels = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2).astype(float)
        _, nearest = cKDTree(self.points).query(pixels)
        return np.sum((pixels - self.points[nearest]) * self.normals[nearest], axis=1).reshape(SIDE, SIDE)


@dataclass
class Scene:
    """``truth`` (H, W, 3) uint8, ``hole`` (H, W); ``layer`` (H, W, 3): what the ``curves`` alone add, in 0..1."""

    name: str
    kind: str
    truth: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    layer: Floats
    curves: list[Curve]


def line(x: float, y: float, angle: float, **more: float) -> Curve:
    """Straight through (x, y), from border to border and beyond."""
    t = np.arange(-1.5 * SIDE, 1.5 * SIDE, 0.25)
    return Curve(np.stack([x + t * np.cos(angle), y + t * np.sin(angle)], axis=1), straight=True, **more)


def ellipse(x: float, y: float, a: float, b: float, turn: float, **more: float) -> Curve:
    t = np.linspace(0, 2 * np.pi, int(8 * np.pi * max(a, b)))
    u, v = a * np.cos(t), b * np.sin(t)
    return Curve(
        np.stack([x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], axis=1),
        **more,
    )


def parabola(x: float, y: float, angle: float, bend: float, **more: float) -> Curve:
    """Through (x, y) in the direction ``angle``, bent off by ``bend`` pixels at 100 pixels from there."""
    t = np.arange(-1.5 * SIDE, 1.5 * SIDE, 0.2)
    s = bend * (t / 100) ** 2
    return Curve(
        np.stack([x + t * np.cos(angle) - s * np.sin(angle), y + t * np.sin(angle) + s * np.cos(angle)], axis=1),
        **more,
    )


@dataclass
class Canvas:
    """A scene in the making: ``picture`` with texture, ``layer`` with structures only."""

    random: np.random.RandomState
    width: int
    picture: Floats
    layer: Floats = field(default_factory=lambda: np.zeros((SIDE, SIDE, 3)))
    curves: list[Curve] = field(default_factory=list)
    middle: tuple[float, float] = (SIDE / 2, SIDE / 2)

    def paint(self, cover: Floats, colour: Floats, shade: Floats | float = 0.0) -> None:
        """Covers the picture with ``colour`` (3,) where ``cover`` (H, W) is 1; ``shade`` (H, W) is added there."""
        cover = cover[..., None]
        target = colour + (shade[..., None] if isinstance(shade, np.ndarray) else shade)
        self.layer = self.layer + cover * (target - self.picture.mean((0, 1)) - self.layer)
        self.picture = self.picture + cover * (target - self.picture)

    def stroke(self, curve: Curve, width: float, colour: Floats, opacity: float = 1.0, keep: bool = True) -> None:
        distance = curve.distance()
        shade = 0.12 * np.clip(distance / width, -1, 1) if width > 3 else 0.0
        self.paint(opacity * np.clip(width / 2 + 0.5 - np.abs(distance), 0, 1), colour, shade)
        if keep:
            self.curves.append(curve)

    def between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def contrast(self) -> Floats:
        """A colour that stands out against the picture."""
        here = self.picture.mean((0, 1))
        while True:
            colour = self.random.uniform(0.05, 0.95, 3)
            if np.abs(colour - here).mean() > 0.25:
                return colour


def _noise(random: np.random.RandomState, sigma: float | tuple[float, float]) -> Floats:
    values = ndimage.gaussian_filter(random.standard_normal((SIDE, SIDE)), sigma, mode="wrap")
    return np.asarray(values / values.std())


def texture(random: np.random.RandomState, colour: Floats | None = None) -> Floats:
    """(SIDE, SIDE, 3): plaster, grass, stripes or nearly nothing, around ``colour``."""
    colour = random.uniform(0.25, 0.75, 3) if colour is None else colour
    grain = ((0.7, 0.7), (2.0, 2.0), (0.6, 4.0), (3.0, 1.0))[random.randint(4)]
    strength = random.choice([0.01, 0.03, 0.06])
    ramp = np.add.outer(*random.uniform(-0.1, 0.1, (2, 1)) * np.linspace(-1, 1, SIDE))
    values = strength * _noise(random, grain) + 0.3 * strength * _noise(random, 12.0) + ramp
    return np.clip(colour + values[..., None] * random.uniform(0.8, 1.2, 3), 0.02, 0.98)


def landscape(random: np.random.RandomState) -> Floats:
    """Sky, hills, houses and water, one under the other: what changes along a cable that stands before it."""
    rows = np.arange(SIDE)[:, None]
    sky = np.array([0.55, 0.72, 0.92]) + 0.15 * (rows / SIDE)[..., None]
    hills, town, water = (
        texture(random, np.array(c)) for c in ((0.4, 0.5, 0.45), (0.75, 0.7, 0.65), (0.15, 0.3, 0.5))
    )
    for _ in range(120):
        x, y, w, h = random.randint(0, SIDE), random.randint(0, SIDE), random.randint(3, 12), random.randint(3, 14)
        town[y : y + h, x : x + w] = random.uniform(0.25, 0.95)
    wave = np.cumsum(random.standard_normal((3, SIDE)), axis=1)
    wave = ndimage.gaussian_filter1d(wave - wave.mean(1, keepdims=True), 4, axis=1) * 0.4
    begins = (
        np.array([0.3, 0.42, 0.62])[:, None] * SIDE + random.uniform(-12, 12, (3, 1)) + wave * [[1], [1], [0.1]]
    )
    picture = np.broadcast_to(sky, (SIDE, SIDE, 3))
    for begin, layer in zip(begins, (hills, town, water), strict=True):
        picture = np.where((rows > begin)[..., None], layer, picture)
    return picture


def _cable(c: Canvas) -> None:
    curve = line(*c.middle, c.between(0, np.pi))
    c.stroke(curve, c.between(1.2, 2.5), c.contrast(), c.between(0.5, 0.9))


def _cables(c: Canvas) -> None:
    c.picture = landscape(c.random)
    angle, apart, colour = np.pi / 2 + c.between(-0.15, 0.15), c.between(14, 24), np.array([0.75, 0.25, 0.2])
    for k in (-1.5, -0.5, 0.5, 1.5)[: 2 + c.random.randint(3)]:
        c.stroke(line(c.middle[0] + k * apart, c.middle[1], angle), c.between(1.3, 2.2), colour, 0.65)


def _pole(c: Canvas) -> None:
    colour = c.contrast()
    if c.random.randint(2):
        c.picture, colour = landscape(c.random), np.array([0.8, 0.1, 0.1])  # unlike anything there
    width = c.between(4, 9)
    c.stroke(line(*c.middle, np.pi / 2 + c.between(-0.5, 0.5), reach=width / 2 + 5), width, colour)


def _bar(c: Canvas) -> None:
    width = c.between(12, 24)
    c.stroke(line(*c.middle, c.between(0, np.pi), reach=width / 2 + 5), width, c.contrast())


def _edge(c: Canvas, curve: Curve | None = None) -> None:
    curve = curve or line(*c.middle, c.between(0, np.pi), reach=8)
    other = texture(c.random, c.contrast())
    cover = np.clip(curve.distance() + 0.5, 0, 1)[..., None]
    c.layer = c.layer + cover * (other.mean((0, 1)) - c.picture.mean((0, 1)))
    c.picture = c.picture + cover * (other - c.picture)
    c.curves.append(curve)


def _kerb(c: Canvas) -> None:
    angle, spread, gap = c.between(-0.4, 0.4), c.between(0.04, 0.12), c.between(10, 18)
    _edge(c, line(c.middle[0], c.middle[1] + gap / 2, angle + spread, reach=6))
    _edge(c, line(c.middle[0], c.middle[1] - gap / 2, angle - spread, reach=6))


def _tiles(c: Canvas) -> None:
    colour = c.picture.mean((0, 1)) - c.between(0.12, 0.3)
    turn, lean, side, width = c.between(-0.5, 0.5), c.between(-0.4, 0.4), c.between(24, 40), c.between(1.2, 2.5)
    fan = c.random.choice([0.0, 0.03])  # joints of a floor seen obliquely draw together
    for angle, grow in ((turn, 0.0), (turn + np.pi / 2 + lean, fan)):
        for k in range(-8, 9):
            x, y = c.middle[0] - np.sin(angle) * k * side, c.middle[1] + np.cos(angle) * k * side
            c.stroke(line(x, y, angle + grow * k), width, np.clip(colour, 0.02, 1))


def _bricks(c: Canvas) -> None:
    height, length = c.between(10, 16), c.between(24, 36)
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    row = np.floor((y - c.middle[1]) / height)
    across, along = (y - c.middle[1]) % height, (x - c.middle[0] + row % 2 * length / 2) % length
    joint = np.minimum(np.minimum(across, height - across), np.minimum(along, length - along))
    number = row * 1000 + np.floor((x - c.middle[0] + row % 2 * length / 2) / length)
    c.picture = c.picture + (0.12 * (np.sin(number * 12.9898) * 43758.5 % 1 - 0.5))[..., None]
    c.paint(np.clip(1.4 - joint, 0, 1), np.clip(c.picture.mean((0, 1)) + 0.25, 0, 0.95))
    for k in range(-8, 9):
        c.curves.append(line(c.middle[0], c.middle[1] + k * height, 0.0, reach=5, tolerance=height / 4))


def _fins(c: Canvas) -> None:
    apart, angle, colour = c.between(7, 14), c.between(0, np.pi), c.contrast()
    for k in range(-40, 41):
        x, y = c.middle[0] - np.sin(angle) * k * apart, c.middle[1] + np.cos(angle) * k * apart
        if np.hypot(x - SIDE / 2, y - SIDE / 2) < SIDE:
            c.stroke(line(x, y, angle, reach=apart / 2, tolerance=apart / 4), apart * 0.4, colour)


def _grid(c: Canvas) -> None:
    apart, turn, colour = c.between(12, 20), c.between(0, np.pi / 2), c.contrast()
    for angle in (turn, turn + np.pi / 2):
        for k in range(-15, 16):
            x, y = c.middle[0] - np.sin(angle) * k * apart, c.middle[1] + np.cos(angle) * k * apart
            c.stroke(line(x, y, angle, tolerance=3.0), 1.6, colour, 0.9)


def _ring(c: Canvas) -> None:
    radius, angle, width = c.between(45, 75), c.between(0, 2 * np.pi), c.between(2, 6)
    x, y = c.middle[0] - radius * np.cos(angle), c.middle[1] - radius * np.sin(angle)
    c.stroke(ellipse(x, y, radius, radius, 0.0, reach=width / 2 + 5), width, c.contrast())


def _disc(c: Canvas) -> None:
    a, b, turn = c.between(60, 80), c.between(40, 60), c.between(0, np.pi)
    angle = c.between(0, 2 * np.pi)
    u, v = a * np.cos(angle), b * np.sin(angle)
    x, y = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
    _edge(c, ellipse(c.middle[0] - x, c.middle[1] - y, a, b, turn, reach=8))


def _wire(c: Canvas) -> None:
    colour = c.contrast()
    if c.random.randint(2):
        c.picture, colour = landscape(c.random), np.array([0.8, 0.1, 0.1])  # unlike anything there
    curve = parabola(*c.middle, c.between(-0.4, 0.4), c.between(8, 25))
    c.stroke(curve, c.between(1.4, 3), colour, c.between(0.7, 1))


def _crossing(c: Canvas) -> None:
    angle = c.between(0, np.pi)
    for turn in (0.0, c.between(0.6, np.pi - 0.6)):
        width = c.between(1.5, 5)
        c.stroke(line(*c.middle, angle + turn, reach=width / 2 + 4), width, c.contrast())


def _junction(c: Canvas) -> None:
    """A line that ends at another one."""
    angle, turn, colour = c.between(0, np.pi), c.between(0.9, np.pi - 0.9), c.contrast()
    through = line(*c.middle, angle, reach=6)
    t = np.arange(0, 1.5 * SIDE, 0.25)
    points = np.stack([c.middle[0] + t * np.cos(angle + turn), c.middle[1] + t * np.sin(angle + turn)], axis=1)
    foot = Curve(points, reach=6, straight=True)
    distance = np.where(through.distance() * np.sin(turn) < 0, np.abs(foot.distance()), 99.0)
    c.paint(np.clip(2.0 - distance, 0, 1), colour)
    c.curves.append(Curve(points[24:], reach=6))  # the joint itself belongs to both
    c.stroke(through, 3.0, colour)


def _end(c: Canvas) -> None:
    """An object that ends within 4 px before the hole, on one side: nothing is to go on."""
    width, angle = c.between(2, 12), c.between(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    reach = c.width / 2 / np.abs(direction).max()  # to the rim of a square
    curve = line(*c.middle, angle)
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    along = (x - c.middle[0]) * direction[0] + (y - c.middle[1]) * direction[1] - reach - c.between(0, 4)
    cover = np.clip(width / 2 + 0.5 - np.abs(curve.distance()), 0, 1) * np.clip(along + 0.5, 0, 1)
    c.paint(cover, c.contrast())


KINDS: dict[str, Callable[[Canvas], None]] = {
    "cable": _cable,
    "cables": _cables,
    "pole": _pole,
    "bar": _bar,
    "edge": _edge,
    "kerb": _kerb,
    "tiles": _tiles,
    "bricks": _bricks,
    "fins": _fins,
    "grid": _grid,
    "ring": _ring,
    "disc": _disc,
    "wire": _wire,
    "crossing": _crossing,
    "junction": _junction,
    "end": _end,
}
PERIODIC = ("tiles", "bricks", "fins", "grid")


def scene(kind: str, number: int) -> Scene:
    """Scene ``number`` of a kind; its hole is ``DEPTHS[number % 3]`` pixels wide."""
    random = np.random.RandomState(zlib.crc32(f"{kind}-{number}".encode()))
    width = DEPTHS[number % len(DEPTHS)]
    canvas = Canvas(random, width, texture(random))
    canvas.middle = tuple(SIDE / 2 + random.uniform(-6, 6, 2))  # type: ignore[assignment]
    KINDS[kind](canvas)
    blur, noise = random.choice([0.4, 0.8, 1.3]), random.choice([0.0, 0.01, 0.02])
    light = 1 - random.uniform(0, 0.35) * np.add.outer(*np.linspace(0, 0.5, SIDE) * np.ones((2, 1)))[..., None]
    finished = ndimage.gaussian_filter(canvas.picture, (blur, blur, 0)) * light
    finished = finished + noise * random.standard_normal(finished.shape)
    y, x = np.mgrid[:SIDE, :SIDE]
    dy, dx = y - round(canvas.middle[1]), x - round(canvas.middle[0])
    square = np.maximum(np.abs(dy), np.abs(dx)) < width / 2
    hole = square if kind == "end" or number % 2 else np.hypot(dy, dx) < width / 2
    return Scene(
        name=f"{kind}-{number:02}",
        kind=kind,
        truth=np.asarray(np.clip(finished * 255, 0, 255).round(), np.uint8),
        hole=hole,
        layer=ndimage.gaussian_filter(canvas.layer, (blur, blur, 0)) * light,
        curves=canvas.curves,
    )
