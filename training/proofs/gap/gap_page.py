"""The as-served gap as one HTML file: a bar of causes for each feature, the table, and what training on either does."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from shared_features.counted import counted
from training.proofs.gap.feature_gap import FeatureGap
from training.proofs.gap.gap_report import GapReport, TrainingEffect
from training.proofs.gap.served_stages import CAUSES
from training.registry.model_card.document_text import Section, Table, write_html

_WIDE, _NAMES, _BAR, _STEP = 640, 240, 12, 20
_COLOURS = ("#0b57d0", "#b26a00", "#176b2c", "#8a3ffc")
"""Of the causes, in their order; the words beside the plot and in each bar say the same."""


def write_gap_page(report: GapReport) -> str:
    """The whole report."""
    return write_html(f"As-served gap of {report.view}", list(_sections(report)))


def _sections(report: GapReport) -> Iterator[Section]:
    differing = report.differing
    same = len(report.features) - len(differing)
    says = [
        f"{counted(report.rows, 'row')}, as served against what had happened. {counted(same, 'feature')} of "
        f"{len(report.features)} never differ.",
        *report.notes,
    ]
    head = ("feature", "rows", "mean", "most", "typical", *CAUSES)
    table = Table(head, [_cells(each) for each in differing])
    yield Section("Features", says, [table] if differing else [], [_bars(differing)] if differing else [])
    if report.effect is not None:
        yield _effect(report.effect)


def _cells(gap: FeatureGap) -> list[str]:
    sizes = (f"{each:.3g}" for each in (gap.whole.mean, gap.whole.largest, gap.typical))
    return [gap.feature, f"{gap.share:.1%}", *sizes, *(f"{_share(gap, cause):.1%}" for cause in CAUSES)]


def _share(gap: FeatureGap, cause: str) -> float:
    return gap.causes[cause].rows / gap.rows if gap.rows else 0.0


def _bars(gaps: tuple[FeatureGap, ...]) -> str:
    """Of each feature a bar, as long as the share of rows that differ, in a part for each cause."""
    most, drawn = max(each.share for each in gaps), ""
    for row, gap in enumerate(gaps):
        x, y = float(_NAMES), row * _STEP + 4
        drawn += f'<text class="end" x="{_NAMES - 8}" y="{y + 10}">{escape(gap.feature)}</text>'
        for cause, colour in zip(CAUSES, _COLOURS, strict=True):
            wide = _share(gap, cause) / most * (_WIDE - _NAMES)
            said = escape(f"{gap.feature}, {cause}: {_share(gap, cause):.1%} of the rows")
            if wide:
                drawn += f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_BAR}" fill="{colour}">'
                drawn += f"<title>{said}</title></rect>"
            x += wide
    keys = "".join(
        f'<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill="{colour}"/></svg> '
        f"{escape(cause)}</li>"
        for cause, colour in zip(CAUSES, _COLOURS, strict=True)
    )
    high = len(gaps) * _STEP + 8
    return (
        f'<figure style="width: min(100%, 40rem)"><figcaption>Rows that were served otherwise, up to {most:.1%}'
        f'</figcaption><svg viewBox="0 0 {_WIDE} {high}" role="img" aria-label="Share of rows that differ, by cause">'
        f'{drawn}</svg><ul class="keys">{keys}</ul></figure>'
    )


def _effect(effect: TrainingEffect) -> Section:
    names = list(next(iter(effect.metrics.values())))
    rows = []
    for truth, found in effect.metrics.items():
        promised = effect.promised[truth]
        rows.append([f"trained {truth}", *(f"{found[name]:.4f} ({promised[name]:.4f})" for name in names)])
    says = f"{effect.candidate}, tested on rows as served. In brackets: what a test on rows of its own truth promises."
    return Section("Training", [says], [Table(("", *names), rows)])
