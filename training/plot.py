"""A plot of lines, as an SVG that stands in the page. Lines differ in colour and in their dashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDE, _HIGH, _LEFT, _BELOW, _ABOVE, _RIGHT = 360, 260, 44, 38, 24, 10
_TICKS = 5

Points = Sequence[Sequence[float]]


def plot(title: str, x_name: str, y_name: str, lines: Mapping[str, Points]) -> str:
    """lines: name -> points [x, y]. y begins at 0; x at 0 too. Empty where there is no point."""
    points = [each for line in lines.values() for each in line]
    if not points:
        return ""
    x_most, y_most = (max(1.0, *(each[at] for each in points)) for at in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        right, up = (_WIDE - _LEFT - _RIGHT) * x / x_most, (_HIGH - _BELOW - _ABOVE) * y / y_most
        return round(_LEFT + right, 1), round(_HIGH - _BELOW - up, 1)

    drawn = ""
    for at in range(_TICKS + 1):
        x, y = x_most * at / _TICKS, y_most * at / _TICKS
        (px, _), (_, py) = place(x, 0), place(0, y)
        drawn += f'<path class="grid" d="M{_LEFT} {py}H{_WIDE - _RIGHT}"/>'
        drawn += f'<text class="tick end" x="{_LEFT - 6}" y="{py + 4}">{y:.3g}</text>'
        drawn += f'<text class="tick" x="{px}" y="{_HIGH - _BELOW + 16}">{x:.3g}</text>'
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
