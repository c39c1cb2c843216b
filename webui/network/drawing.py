"""Pictures as SVG: a view of the network, and a chain of organisations; for paper, for export and without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from webui.network.data import community_name, kinds_of
from webui.network.scene import Scene

__all__ = ["COLOURS", "Step", "chain", "drawing"]

COLOURS: Final = {
    "paper": "#ffffff",
    "ink": "#15222b",
    "ink-soft": "#4c5d68",
    "tie": "#aab9c2",
    "suggested": "#9a5200",
    "group-0": "#3e66c1",
    "group-1": "#e06c94",
    "group-2": "#9b7802",
    "group-3": "#571a2a",
    "group-4": "#9587ef",
    "group-5": "#873616",
    "group-6": "#554c70",
    "group-7": "#341878",
    "group-rest": "#78858d",
}
"""The light colours of the design tokens that a picture for paper uses."""

_GROUPS: Final = 8
_WIDE: Final = 1200.0
_TALLEST: Final = 1000.0
_EDGE: Final = 40.0
_NAMED: Final = 40
_LETTER: Final = 6.2
_LONGEST: Final = 34
_FONT: Final = "font-family='Liberation Sans, Arial, sans-serif'"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A disc of the picture: where, how large, which colour, its name, and how much its name matters."""

    x: float
    y: float
    radius: float
    place: int
    label: str
    weight: float
    bubble: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A link of a chain: the name of an organisation, and what joins it to the next (empty for the last)."""

    label: str
    through: str = ""
    suggested: bool = False


def drawing(scene: Scene, title: str, *, dashed: bool = True, wide: float = _WIDE, tallest: float = _TALLEST) -> str:
    """Draw a view as SVG, with `title` as its text alternative; suggested ties are dashed where `dashed`."""
    marks = _marks(scene)
    if not marks:
        return _svg([f"<text x='20' y='30' {_FONT} font-size='14'>{escape(title)}</text>"], 400, 50, title)
    placed, width, height = _fitted(list(marks.values()), wide, tallest)
    at = dict(zip(marks, placed, strict=True))
    parts = [
        _line(at[row[0]], at[row[1]], row[2])
        for row in scene.lines.select("a", "b", "weight").rows()
        if row[0] in at and row[1] in at
    ]
    if dashed:
        pairs = {tuple(sorted(map(scene.mark, gap.members))) for gap in scene.suggested if gap.kind == "P1"}
        parts += [_dash(at[a], at[b]) for a, b in sorted(pairs) if a != b and a in at and b in at]
    parts += [_disc(mark) for mark in placed]
    parts += _names(placed)
    return _svg(parts, width, height, title)


def chain(steps: Sequence[Step], title: str) -> str:
    """Draw organisations in a row, each joined to the next, with what joins them between."""
    down = 76.0
    parts, height = [], down * (len(steps) - 1) + 60
    for place, step in enumerate(steps):
        y = 30 + place * down
        if step.through:
            dash = " stroke-dasharray='6 4'" if step.suggested else ""
            colour = COLOURS["suggested" if step.suggested else "tie"]
            parts.append(f"<path d='M24 {y:.0f}V{y + down:.0f}' stroke='{colour}' stroke-width='3'{dash}/>")
            parts.append(_text(44, y + down / 2 + 4, _cut(step.through, 66), size=12, colour="ink-soft"))
    for place, step in enumerate(steps):
        y = 30 + place * down
        rim = f"stroke='{COLOURS['paper']}' stroke-width='2'"
        parts.append(f"<circle cx='24' cy='{y:.0f}' r='10' fill='{COLOURS['group-0']}' {rim}/>")
        parts.append(_text(44, y + 5, _cut(step.label, 52), size=15, bold=True))
    return _svg(parts, 480, height, title)


# ---- Marks -------------------------------------------------------------------------------------------------


def _marks(scene: Scene) -> dict[int, _Mark]:
    kinds = {kind: place for place, kind in enumerate(kinds_of(scene.picture.organisations))}
    by_kind, named = scene.asked.colour == "kind", set(scene.picture.communities["group"])
    rows = scene.drawn
    most = max([1e-9, *rows["size"].to_list()])
    largest = 15.0 if rows.height <= 150 else 9.0  # noqa: PLR2004 - as the picture in the browser
    found = {
        row["row"]: _Mark(
            row["x"], row["y"], 3.5 + (largest - 3.5) * math.sqrt(max(0.0, row["size"]) / most),
            kinds[row["kind"]] if by_kind else row["group"] if row["group"] in named else -1,
            row["label"], row["degree"], bubble=False,
        )
        for row in rows.iter_rows(named=True)
    }  # fmt: skip
    bubbles = scene.bubbles
    biggest = max([1, *bubbles["size"].to_list()])
    for row in bubbles.iter_rows(named=True):
        radius = 8 + 30 * math.sqrt(row["size"] / biggest)
        label = f"{community_name(row['label'])} ({row['size']})"
        found[-1 - row["group"]] = _Mark(
            row["x"], row["y"], radius, row["group"], label, 1e6 + row["size"], bubble=True
        )
    return found


def _fitted(marks: list[_Mark], wide: float, tallest: float) -> tuple[list[_Mark], float, float]:
    """Scale the places to the width, or to the greatest height, with room for discs and names at the edge."""
    xs, ys = [mark.x for mark in marks], [mark.y for mark in marks]
    edge = _EDGE + max(mark.radius for mark in marks)
    span_x, span_y = max(xs) - min(xs), max(ys) - min(ys)
    inner = wide - 2 * edge
    scale = min(inner / span_x if span_x else math.inf, (tallest - 2 * edge) / span_y if span_y else math.inf)
    scale = 1.0 if math.isinf(scale) else scale
    left = (wide - span_x * scale) / 2
    moved = [
        _Mark(
            left + (m.x - min(xs)) * scale,
            edge + (max(ys) - m.y) * scale,
            m.radius,
            m.place,
            m.label,
            m.weight,
            m.bubble,
        )
        for m in marks
    ]
    return moved, wide, span_y * scale + 2 * edge


def _colour(place: int) -> tuple[str, bool]:
    known = 0 <= place < 2 * _GROUPS
    return COLOURS[f"group-{place % _GROUPS}" if known else "group-rest"], place >= _GROUPS or place < 0


def _disc(mark: _Mark) -> str:
    colour, ring = _colour(mark.place)
    fill, rim = (COLOURS["paper"], colour) if ring else (colour, COLOURS["paper"])
    width = max(1.2, mark.radius * (0.35 if ring else 0.12))
    opacity = " fill-opacity='.8'" if mark.bubble and not ring else ""
    where = f"cx='{mark.x:.1f}' cy='{mark.y:.1f}' r='{mark.radius:.1f}'"
    paint = f"fill='{fill}' stroke='{rim}' stroke-width='{width:.1f}'{opacity}"
    return f"<circle {where} {paint}><title>{escape(mark.label)}</title></circle>"


def _line(one: _Mark, other: _Mark, weight: float) -> str:
    width = min(6.0, 0.8 + math.sqrt(weight) * 0.6)
    return f"{_between(one, other)} stroke='{COLOURS['tie']}' stroke-width='{width:.1f}'/>"


def _dash(one: _Mark, other: _Mark) -> str:
    return f"{_between(one, other)} stroke='{COLOURS['suggested']}' stroke-width='2' stroke-dasharray='7 5'/>"


def _between(one: _Mark, other: _Mark) -> str:
    return f"<path d='M{one.x:.1f} {one.y:.1f}L{other.x:.1f} {other.y:.1f}'"


def _names(marks: Iterable[_Mark]) -> list[str]:
    """Write the names that matter most, none over another."""
    taken: list[tuple[float, float, float, float]] = []
    parts: list[str] = []
    for mark in sorted(marks, key=lambda each: -each.weight):
        if len(parts) >= _NAMED:
            break
        text = _cut(mark.label, _LONGEST)
        wide, high = len(text) * _LETTER, 8.0
        gap = mark.radius + 4
        for x, y in (
            (mark.x + gap, mark.y),
            (mark.x - gap - wide, mark.y),
            (mark.x - wide / 2, mark.y - gap - high),
            (mark.x - wide / 2, mark.y + gap + high),
        ):
            box = (x, y - high, x + wide, y + high)
            if x > 0 and x + wide < _WIDE and not any(_over(box, other) for other in taken):
                taken.append(box)
                parts.append(_text(x, y + 4, text, size=12, rim=True))
                break
    return parts


def _over(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _text(
    x: float, y: float, text: str, *, size: int, colour: str = "ink", bold: bool = False, rim: bool = False
) -> str:
    weight = " font-weight='600'" if bold else ""
    halo = f" stroke='{COLOURS['paper']}' stroke-width='3' paint-order='stroke' stroke-linejoin='round'"
    look = f"{_FONT} font-size='{size}'{weight}{halo if rim else ''} fill='{COLOURS[colour]}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {look}>{escape(text)}</text>"


def _svg(parts: list[str], width: float, height: float, title: str) -> str:
    size = f"viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' height='{height:.0f}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' aria-label={quoteattr(title)}>"
    paper = f"<rect width='100%' height='100%' fill='{COLOURS['paper']}'/>"
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *parts, "</svg>"]) + "\n"
