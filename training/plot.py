"""A plot of lines and points, as an SVG that stands in the page. Lines differ in colour and in their dashes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDE, _HIGH, _LEFT, _BELOW, _ABOVE, _RIGHT = 360, 260, 44, 38, 24, 16
_TICKS = 5

Points = Sequence[Sequence[float]]


def plot(
    title: str, x_name: str, y_name: str, lines: Mapping[str, Points], dots: Points = (), *, fits: bool = False
) -> str:
    """lines: name -> points [x, y]. dots: points without a line. Empty where there is no point.

    fits: the axes fit the points; else both begin at 0 and end at 1 or later, as shares do.
    """
    points = [each for line in (*lines.values(), dots) for each in line]
    if not points:
        return ""
    axis = _fitting if fits else _of_shares
    x_ticks, y_ticks = (axis([each[at] for each in points]) for at in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        right = (_WIDE - _LEFT - _RIGHT) * _share(x, x_ticks)
        up = (_HIGH - _BELOW - _ABOVE) * _share(y, y_ticks)
        return round(_LEFT + right, 1), round(_HIGH - _BELOW - up, 1)

    drawn = ""
    for y in y_ticks:
        _, py = place(x_ticks[0], y)
        drawn += f'<path class="grid" d="M{_LEFT} {py}H{_WIDE - _RIGHT}"/>'
        drawn += f'<text class="tick end" x="{_LEFT - 6}" y="{py + 4}">{y:.3g}</text>'
    for x in x_ticks:
        px, _ = place(x, y_ticks[0])
        drawn += f'<text class="tick" x="{px}" y="{_HIGH - _BELOW + 16}">{x:.3g}</text>'
    drawn += "".join('<circle class="dot" r="2" cx="{}" cy="{}"/>'.format(*place(*each)) for each in dots)
    for number, line in enumerate(lines.values()):
        path = "L".join("{} {}".format(*place(*each)) for each in line)
        drawn += f'<path class="line line-{number}" d="M{path}"/>' if path else ""
    drawn += f'<text class="name" x="{(_WIDE + _LEFT) // 2}" y="{_HIGH - 4}">{escape(x_name)}</text>'
    drawn += f'<text class="name start" x="4" y="14">{escape(y_name)}</text>'
    keys = "".join(
        f'<li><svg width="28" height="8" aria-hidden="true"><path class="line line-{number}" d="M0 4H28"/></svg> '
        f"{escape(name)}"
        for number, name in enumerate(lines)
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg class="plot" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{escape(title)}: {escape(y_name)} by {escape(x_name)}">{drawn}</svg><ul class="keys">{keys}</ul>'
        "</figure>"
    )


def _share(value: float, ticks: Sequence[float]) -> float:
    """Where a value lies between the first and the last tick, from 0 to 1."""
    return (value - ticks[0]) / (ticks[-1] - ticks[0])


def _of_shares(values: Sequence[float]) -> list[float]:
    most = max(1.0, *values)
    return [most * at / _TICKS for at in range(_TICKS + 1)]


def _fitting(values: Sequence[float]) -> list[float]:
    """Ticks at round numbers, of which the first and the last enclose the values."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(each for each in (1, 2, 2.5, 5, 10) if each * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * at for at in range(first, last + 1)]
