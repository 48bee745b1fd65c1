"""The statistics of a dataset as one page: no script, no file beside it, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise

from shared_features.formats.dataset_statistics import ColumnStatistics, DatasetStatistics, WindowStatistics
from training.datasets.statistics.plots import bars, box

PAGE_FILE = "statistics.html"
_MUCH = 0.25
_HEADS = ("column", "missing", "mean", "median", "correlation", "drift", "spread", "share of each bin")
_DRAWN = _HEADS[-2:]
_BODY = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem;margin:0}
@media(prefers-color-scheme:dark){body{background:#15181c;color:#dde2e8}}
"""
_STYLE = """
.dataset{overflow-x:auto}
.dataset p{position:sticky;left:0;margin:.3rem 0 1rem;opacity:.75}
.dataset table{border-collapse:collapse;width:100%}
.dataset th,.dataset td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid #8886;white-space:nowrap}
.dataset th:first-child,.dataset td:first-child,.dataset .plot{text-align:left}
.dataset .much{color:#d1433a;font-weight:600}.dataset svg{display:block}
.dataset .window{white-space:nowrap}.dataset .key{display:inline-block;width:.7em;height:.7em;margin-right:.3em}
.dataset .train,.dataset .all{fill:#3b6ea8;background:#3b6ea8}.dataset .gap{fill:#b0b7bf;background:#b0b7bf}
.dataset .test{fill:#d98324;background:#d98324}
"""


def statistics_page(found: DatasetStatistics) -> str:
    """HTML: a line for the label and for each feature, with its numbers and its plots."""
    title = f"Dataset of {escape(found.view)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_BODY}</style>"
        f"<h1>{title}</h1>{statistics_fragment(found)}</html>\n"
    )


def statistics_fragment(found: DatasetStatistics) -> str:
    """The same inside of another page, such as a notebook."""
    rows = ", ".join(
        f'<span class="window"><span class="key {escape(name)}"></span>{escape(name)} {count:,}</span>'
        for name, count in found.windows.items()
    )
    label = [] if found.label is None else [_line(found.label, found.windows)]
    lines = [*label, *(_line(each, found.windows) for each in found.features)]
    return (
        f'<style>{_STYLE}</style><div class="dataset"><p>{escape(found.view)}, rows: {rows}. Digest '
        f"{found.data_digest[:16]}. Correlation is with the label. Drift is the population stability index "
        "of test against train: below 0.1 is little, above 0.25 much. Bins are the deciles of "
        "the train window, or values.</p>"
        f"<table><tr>{''.join(_head(head) for head in _HEADS)}</tr>{''.join(lines)}</table></div>"
    )


def _head(name: str) -> str:
    return f'<th class="plot">{name}</th>' if name in _DRAWN else f"<th>{name}</th>"


def _line(column: ColumnStatistics, windows: Iterable[str]) -> str:
    found = [column.windows[name] for name in windows]
    drift = "" if column.drift is None else f"{column.drift:.3f}"
    much = column.drift is not None and column.drift > _MUCH
    cells = [
        escape(column.name),
        _each(f"{each.missing / each.rows:.1%}" if each.rows else "" for each in found),
        _each(_number(each.mean) for each in found),
        _each(_number(each.quantiles[3] if each.quantiles else None) for each in found),
        _each("" if each.correlation is None else f"{each.correlation:+.3f}" for each in found),
        f'<span class="much">{drift}</span>' if much else drift,
        box(column.windows),
        bars(column.windows, _names(column, found)),
    ]
    plain = "".join(f"<td>{cell}</td>" for cell in cells[:6])
    return f"<tr>{plain}{''.join(f'<td class=plot>{cell}</td>' for cell in cells[6:])}</tr>"


def _each(texts: Iterable[str]) -> str:
    """One below the other, window by window; once where all are the same."""
    found = list(texts)
    return "<br>".join(found if len(set(found)) > 1 else found[:1])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _names(column: ColumnStatistics, found: Iterable[WindowStatistics]) -> list[str]:
    """What each bin holds."""
    if column.values:
        return [*column.values, "others"]
    edges = [f"{edge:.4g}" for edge in column.edges]
    if not edges:
        return ["all" for _ in next(iter(found), WindowStatistics(0, 0, 0, ())).bins]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]}", *between, f"above {edges[-1]}"]
