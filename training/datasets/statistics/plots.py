"""Small plots as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from shared_features.formats.dataset_statistics import WindowStatistics

_WIDTH, _HEIGHT = 220, 44


def box(windows: Mapping[str, WindowStatistics]) -> str:
    """Of each window: a line from the 1st to the 99th percentile, a box of the middle half, a mark at the median."""
    there = {name: each.quantiles for name, each in windows.items() if each.quantiles}
    if not there:
        return ""
    low, high = min(each[0] for each in there.values()), max(each[-1] for each in there.values())
    step = _HEIGHT / len(there)
    parts = []
    for row, (name, quantiles) in enumerate(there.items()):
        first, _, left, middle, right, _, last = (_across(each, low, high) for each in quantiles)
        top = row * step
        parts += [
            _rect(
                name, first, top + step / 2 - 0.5, last - first, 1, f"{name}: {quantiles[0]:.4g} to {quantiles[-1]:.4g}"
            ),
            _rect(
                name, left, top + 2, right - left, step - 4, f"{name}: {quantiles[2]:.4g} to {quantiles[4]:.4g}", 0.55
            ),
            _rect(name, middle - 1, top + 1, 2, step - 2, f"{name}: median {quantiles[3]:.4g}"),
        ]
    return _svg(parts)


def bars(windows: Mapping[str, WindowStatistics], names: Sequence[str]) -> str:
    """Of each bin the share of rows in each window, side by side; the last place is what is missing."""
    shares = {
        name: [count / each.rows for count in (*each.bins, each.missing)] for name, each in windows.items() if each.rows
    }
    if not shares:
        return ""
    most = max(max(each) for each in shares.values()) or 1.0
    places = [*names, "missing"]
    slot = _WIDTH / len(places)
    width = max((slot - 1) / len(shares), 0.5)
    parts = []
    for at, (name, each) in enumerate(shares.items()):
        for place, share in enumerate(each):
            height = share / most * _HEIGHT
            said = f"{name}, {places[place]}: {share:.1%}"
            parts.append(_rect(name, place * slot + at * width, _HEIGHT - height, width, height, said))
    return _svg(parts)


def _across(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) * _WIDTH if high > low else _WIDTH / 2


def _rect(window: str, x: float, y: float, width: float, height: float, says: str, opacity: float = 1.0) -> str:
    return (
        f'<rect class="{escape(window)}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
        f'height="{height:.1f}" opacity="{opacity:g}"><title>{escape(says)}</title></rect>'
    )


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}</svg>'
    )
