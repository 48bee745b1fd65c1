"""The step graph: which step waits for which, and how far each is, as an SVG that stands in the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from training.service.routes.answers import StepAnswer

_WIDE, _HIGH, _GAP = 148, 44, 26
_FITTING = 12
"""Letters of a name that fit into a box; a longer name is drawn narrower."""


def step_graph(steps: Sequence[StepAnswer], needs: Mapping[str, Sequence[str]]) -> str:
    """steps: in their order. needs: step -> the steps whose results it takes."""
    level: dict[str, int] = {}
    row: dict[int, list[str]] = {}
    for each in steps:
        deep = 1 + max((level[need] for need in needs.get(each.name, ()) if need in level), default=-1)
        level[each.name] = deep
        row.setdefault(deep, []).append(each.name)
    width = max(len(names) for names in row.values()) * (_WIDE + _GAP) + _GAP
    at = {
        name: (int(width / 2 + (place - (len(names) - 1) / 2) * (_WIDE + _GAP)), _GAP + number * (_HIGH + _GAP))
        for number, names in row.items()
        for place, name in enumerate(names)
    }
    height = _GAP + len(row) * (_HIGH + _GAP)
    lines = "".join(_line(at[need], at[name]) for name in level for need in _nearest(name, needs, level))
    boxes = "".join(_box(each, *at[each.name]) for each in steps)
    said = ", ".join(f"{each.name} {each.state}" for each in steps)
    return (
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" '
        f'aria-label="Steps: {escape(said)}">{lines}{boxes}</svg>'
    )


def _nearest(name: str, needs: Mapping[str, Sequence[str]], level: Mapping[str, int]) -> list[str]:
    """The steps that it waits for, without those that another one of them waits for already."""
    direct = [need for need in needs.get(name, ()) if need in level]
    further = {far for need in direct for far in _all_before(need, needs)}
    return [need for need in direct if need not in further]


def _all_before(name: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    direct = needs.get(name, ())
    return {*direct, *(far for need in direct for far in _all_before(need, needs))}


def _line(above: tuple[int, int], below: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = (above[0], above[1] + _HIGH), below
    middle = (y1 + y2) // 2
    return f'<path class="edge" d="M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"/>'


def _box(step: StepAnswer, x: int, y: int) -> str:
    name, left = escape(step.name), x - _WIDE // 2
    took = "" if step.seconds is None else f" {step.seconds:.1f} s"
    fits = "" if len(step.name) <= _FITTING else f' textLength="{_WIDE - 12}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<a href="#step-{name}"><g class="step {step.state}"><rect x="{left}" y="{y}" width="{_WIDE}" '
        f'height="{_HIGH}" rx="8"/><text x="{x}" y="{y + 19}"{fits}>{name}</text>'
        f'<text class="small" x="{x}" y="{y + 35}">{step.state}{took}</text></g></a>'
    )
