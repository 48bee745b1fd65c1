"""Horizontal bars with their names above them, as an SVG that stands in a page: names may be long."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_WIDE, _STEP, _BAR, _NUMBERS = 360, 34, 9, 56


def bar_chart(title: str, what: str, values: Mapping[str, float]) -> str:
    """values: name -> length; below 0 there is no bar. what: the length is of. Empty without a value."""
    if not values:
        return ""
    most = max(*values.values(), 0.0) or 1.0
    drawn = ""
    for at, (name, value) in enumerate(values.items()):
        y, wide = at * _STEP, (_WIDE - _NUMBERS) * max(value, 0.0) / most
        drawn += f'<text class="start" x="0" y="{y + 12}">{escape(name)}</text>'
        drawn += f'<rect class="bar" x="0" y="{y + 16}" width="{wide:.1f}" height="{_BAR}"/>'
        drawn += f'<text class="start" x="{wide + 6:.1f}" y="{y + 25}">{value:.3g}</text>'
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg class="plot" viewBox="0 0 {_WIDE} '
        f'{len(values) * _STEP}" role="img" aria-label="{escape(title)}: {escape(what)}">{drawn}</svg></figure>'
    )
