"""Line charts as SVG, for the growth that a benchmark measures: the same for the same values, without dependencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

__all__ = ["Chart", "draw"]

_WIDTH, _HEIGHT = 300, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 16, 34, 36


@dataclass(frozen=True)
class Chart:
    """One chart. The x axis is logarithmic, the y axis starts at zero.

    Attributes:
        title: what is measured, with the unit of y.
        label: what x counts.
        points: x and y, by x; all x are positive.
        goal: a value of y to be drawn as a dashed line; None for none.
    """

    title: str
    label: str
    points: Sequence[tuple[float, float]]
    goal: float | None = None


def draw(charts: Sequence[Chart]) -> str:
    """Charts side by side, as SVG. Each value is also a text, so that the picture is readable without color."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH * len(charts)}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH * len(charts)} {_HEIGHT}" font-family="sans-serif" font-size="10" role="img">',
        f"<title>{escape('; '.join(chart.title for chart in charts))}</title>",
        f'<rect width="{_WIDTH * len(charts)}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    for number, chart in enumerate(charts):
        parts += [f'<g transform="translate({number * _WIDTH} 0)">', *_drawn(chart), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _drawn(chart: Chart) -> list[str]:
    low, high = math.log10(chart.points[0][0]), math.log10(chart.points[-1][0])
    top = _rounded(max([*(y for _, y in chart.points), chart.goal or 0.0]) * 1.1)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def across(x: float) -> float:
        return round(_LEFT + (math.log10(x) - low) / ((high - low) or 1) * (right - _LEFT), 1)

    def down(y: float) -> float:
        return round(bottom - y / top * (bottom - _TOP), 1)

    parts = [f'<text x="{_LEFT}" y="18" font-size="11" font-weight="bold">{escape(chart.title)}</text>']
    for step in range(5):
        y = top * step / 4
        parts.append(f'<path d="M{_LEFT} {down(y)}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{down(y) + 3}" text-anchor="end">{y:g}</text>')
    for x, _ in chart.points:
        parts.append(f'<text x="{across(x)}" y="{bottom + 14}" text-anchor="middle">{x:,.0f}</text>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{bottom + 28}" text-anchor="middle">{escape(chart.label)}</text>')
    if chart.goal is not None:
        parts.append(f'<path d="M{_LEFT} {down(chart.goal)}H{right}" stroke="#b00" stroke-dasharray="5 4"/>')
        parts.append(f'<text x="{right}" y="{down(chart.goal) - 4}" text-anchor="end" fill="#b00">goal</text>')
    line = " ".join(f"{across(x)},{down(y)}" for x, y in chart.points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#124" stroke-width="1.5"/>')
    for x, y in chart.points:
        parts.append(f'<circle cx="{across(x)}" cy="{down(y)}" r="2.5" fill="#124"/>')
        parts.append(f'<text x="{across(x)}" y="{down(y) - 6}" text-anchor="middle">{y:.3g}</text>')
    return parts


def _rounded(value: float) -> float:
    """The least of 1, 2, 4, 6, 8 and 10 times a power of ten that is not less than a value."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(factor * power for factor in (1, 2, 4, 6, 8, 10) if factor * power >= value)
