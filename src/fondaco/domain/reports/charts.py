"""Charts as SVG, made of nothing but text: the same values always give the same bytes.

Colours are named once: by CSS variables on a page, which has a light and a dark side, and by plain
colours on paper.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from typing import Final, NamedTuple

from fondaco.domain.reports.model import Chart

WIDTH: Final = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 12, 24
_HEIGHTS: Final = {"line": 210, "bars": 190}
_POINTS_MAX: Final = 720  # one for each pixel
_CELL, _GAP = 11, 2


class Palette(NamedTuple):
    ink: str
    soft: str
    grid: str
    line: str
    good: str
    bad: str
    none: str
    font: str


PAGE: Final = Palette(
    "var(--ink)", "var(--soft)", "var(--grid)", "var(--line)", "var(--good)", "var(--bad)",
    "var(--none)", "inherit",
)  # fmt: skip
PAPER: Final = Palette(
    "#1c2430", "#5d6878", "#e1e5ea", "#1f5fa8", "#1d7f5c", "#b3423a", "#eef0f3",
    "Libertinus Serif",
)  # fmt: skip


def svg(chart: Chart, palette: Palette) -> str:
    """One element, without a declaration."""
    if not chart.values:
        return ""
    if chart.form == "days":
        return _days(chart, palette)
    height = _HEIGHTS[chart.form]
    scale = _Scale(chart.values, height, from_nought=chart.form == "bars" or chart.is_below)
    body = _grid(scale, palette)
    body += _line(chart, scale, palette) if chart.form == "line" else _bars(chart, scale, palette)
    return _element(WIDTH, height, chart.title, body, palette)


class _Scale:
    """From values to pixels, with round numbers at its lines."""

    def __init__(self, values: Sequence[float], height: int, *, from_nought: bool) -> None:
        low, high = min(values), max(values)
        if from_nought:
            low, high = min(low, 0.0), max(high, 0.0)
        if low == high:
            low, high = low - 1.0, high + 1.0
        self.step = _round_step((high - low) / 4.0)
        self.low = low if low == 0.0 else self.step * (low // self.step)
        self.high = high if high == 0.0 else self.step * -(-high // self.step)
        self.bottom = height - _BOTTOM
        self._px = (self.bottom - _TOP) / (self.high - self.low)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) * self._px

    def marks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]


def _round_step(rough: float) -> float:
    power = 1.0
    while power * 10.0 <= rough:
        power *= 10.0
    while power > rough:
        power /= 10.0
    return next(power * times for times in (1.0, 2.0, 2.5, 5.0, 10.0) if power * times >= rough)


def short(value: float, step: float) -> str:
    """As few digits as tell two lines apart: "1.25M", "-40"."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e4, "K")):
        if abs(value) >= size:
            size = 1e3 if unit == "K" else size
            return f"{value / size:.{_decimals(step / size)}f}{unit}"
    return f"{value:.{_decimals(step)}f}" if value else "0"


def _decimals(step: float) -> int:
    decimals = 0
    while decimals < 6 and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    return decimals


def _grid(scale: _Scale, palette: Palette) -> str:
    found = ""
    for mark in scale.marks():
        y = scale.y(mark)
        colour = palette.soft if mark == 0.0 else palette.grid
        found += (
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{colour}" stroke-width="1"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{palette.soft}">'
            f"{short(mark, scale.step)}</text>"
        )
    return found


def _line(chart: Chart, scale: _Scale, palette: Palette) -> str:
    values = _thinned(chart.values)
    wide = WIDTH - _LEFT - _RIGHT
    step = wide / max(len(values) - 1, 1)
    points = [(_LEFT + number * step, scale.y(value)) for number, value in enumerate(values)]
    colour = palette.bad if chart.is_below else palette.line
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ground = scale.y(0.0) if chart.is_below else scale.bottom
    area = f"{points[0][0]:.1f},{ground:.1f} {path} {points[-1][0]:.1f},{ground:.1f}"
    found = f'<polygon points="{area}" fill="{colour}" fill-opacity="0.10"/>'
    found += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6" '
    found += 'stroke-linejoin="round"/>'
    if len(points) == 1:
        found += (
            f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" fill="{colour}"/>'
        )
    anchors = ("start", "middle", "end")
    places = (_LEFT, _LEFT + wide / 2, WIDTH - _RIGHT)
    for label, x, anchor in zip(chart.labels, places, anchors, strict=False):
        found += _under(label, x, scale.bottom + 17, anchor, palette)
    return found


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """No more than there are pixels; of each stretch the value that is farthest from its first."""
    if len(values) <= _POINTS_MAX:
        return values
    found = []
    for number in range(_POINTS_MAX):
        first, last = (
            (number * len(values)) // _POINTS_MAX,
            ((number + 1) * len(values)) // _POINTS_MAX,
        )
        part = values[first:last]
        found.append(max(part, key=lambda each: abs(each - part[0])))
    found[-1] = values[-1]
    return found


def _bars(chart: Chart, scale: _Scale, palette: Palette) -> str:
    wide = (WIDTH - _LEFT - _RIGHT) / len(chart.values)
    nought, found = scale.y(0.0), ""
    every = max(-(-len(chart.values) // 12), 1)
    signed = min(chart.values) < 0.0 or "-" in "".join(chart.labels)
    for number, value in enumerate(chart.values):
        x, y, thick = _LEFT + (number + 0.12) * wide, scale.y(value), 0.76 * wide
        label = chart.labels[number] if number < len(chart.labels) else ""
        bad = value < 0.0 or (min(chart.values) >= 0.0 and label.startswith("-"))
        colour = (palette.bad if bad else palette.good) if signed else palette.line
        if value:
            found += (
                f'<rect x="{x:.1f}" y="{min(y, nought):.1f}" width="{thick:.1f}" '
                f'height="{max(abs(nought - y), 0.5):.1f}" fill="{colour}"/>'
            )
        if number % every == 0 and label:
            found += _under(label, x + thick / 2, scale.bottom + 17, "middle", palette)
    return found


def _under(text: str, x: float, y: float, anchor: str, palette: Palette) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{palette.soft}">'
        f"{escape(text)}</text>"
    )


def _days(chart: Chart, palette: Palette) -> str:
    """A column for each week, from Monday down; the newest year of them. Stronger is further from
    nought."""
    first, values = chart.first_day, list(chart.values)
    columns = (WIDTH - 36) // (_CELL + _GAP)
    start = first + len(values) - 1 - ((first + len(values) - 1 + 3) % 7) - 7 * (columns - 1)
    most = max((abs(each) for each in values), default=0.0) or 1.0
    found = "".join(
        f'<text x="0" y="{28 + (day * (_CELL + _GAP)):.0f}" fill="{palette.soft}">{name}</text>'
        for day, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))
    )
    month = -1
    for number, value in enumerate(values):
        day = first + number
        if day < start:
            continue
        column, row = divmod(day - start, 7)
        x, y = 36 + column * (_CELL + _GAP), 18 + row * (_CELL + _GAP)
        on = date(1970, 1, 1) + timedelta(days=day)
        if on.month != month and row == 0 and column < columns - 2:
            month = on.month
            found += _under(on.strftime("%b"), x, 10, "start", palette)
        colour = palette.none
        if value:
            colour = palette.good if value > 0 else palette.bad
        strength = 0.25 + 0.75 * abs(value) / most if value else 1.0
        tip = f"<title>{on.isoformat()}: {value:,.2f} {escape(chart.unit)}</title>"
        found += (
            f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="2" fill="{colour}" '
            f'fill-opacity="{strength:.2f}">{tip}</rect>'
        )
    return _element(WIDTH, 18 + 7 * (_CELL + _GAP), chart.title, found, palette)


def _element(width: int, height: int, title: str, body: str, palette: Palette) -> str:
    font = "" if palette.font == "inherit" else f' font-family="{palette.font}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" font-size="11"{font}>{body}</svg>'
    )
