"""A pinned view: all tables of a view at one version each, and the cut up to which its rows are complete.

A row is complete at the cut when its event came in time and lies below the cut less the allowed lateness, or when it
was late and had arrived before the cut: both follow from the event alone, so any later version of the tables gives the
same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared_features.definitions import EventSource, FeatureView
from shared_features.formats.offline_tables import ARRIVAL_TIME
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore, PinnedTable
from training.errors import DatasetError

if TYPE_CHECKING:
    import polars as pl  # at run time where rows are read

EVENT_TIME = "event_time_us"


@dataclass(frozen=True)
class PinnedView:
    """All tables of a view at one version each. groups: part name of a group -> table.

    labels: the events of each label source. kept_from_us: up to which arrival time events that a group reads are gone,
    by retention; 0: none are. named: the events that stored texts of categories were read from, one table for each
    category that has them.
    """

    view: FeatureView
    events: PinnedTable
    groups: Mapping[str, PinnedTable]
    labels: tuple[PinnedTable, ...]
    cut_us: int
    lateness_us: int
    kept_from_us: int
    named: tuple[PinnedTable, ...] = ()

    def complete(self) -> pl.Expr:
        """Which feature rows are complete at the cut."""
        import polars as pl

        regular = pl.col(EVENT_TIME) < self.cut_us - self.lateness_us
        below = (pl.col(EVENT_TIME) < self.cut_us) & (pl.col(ARRIVAL_TIME) < self.cut_us)
        return below & (pl.col("late") | regular) & self._whole()

    def _whole(self) -> pl.Expr:
        """Whether the events that a row's windows reach are kept.

        A row that came late, or whose table was begun later, was computed from the events that were stored by then.
        """
        import polars as pl

        if not self.kept_from_us:
            return pl.lit(True)
        reach_us = max(group.readable_us for group in self.view.groups)
        return (pl.col(ARRIVAL_TIME) >= self.kept_from_us) & (pl.col(EVENT_TIME) >= self.kept_from_us + reach_us)

    @property
    def tables(self) -> list[PinnedTable]:
        found = [self.events, *self.groups.values(), *self.labels, *self.named]
        return list({table.name: table for table in found}.values())


def pin_view(store: OfflineStore, view: FeatureView, lateness_us: int, cut_us: int | None = None) -> PinnedView:
    """Pin every table of the view, and the cut: the smallest of its groups', or an earlier one to build again."""
    if not view.groups:
        raise DatasetError(f"View {view.label} reads no feature group, so it has no feature rows. Add a group to it.")
    # Feature rows first: an events table pinned later holds at least the events behind them.
    groups = {group.part_name: store.pin_features(group, view.source) for group in view.groups}
    available = {name: table.cut_us for name, table in groups.items()}
    slowest = min(available, key=lambda name: available[name])
    if cut_us is not None and cut_us > available[slowest]:
        raise DatasetError(
            f"Cut {cut_us} is not available yet. Group {slowest!r} is materialized up to "
            f"{available[slowest]} ({to_text(available[slowest])}). "
            "Wait, or choose an earlier cut."
        )
    sources = {each.name: each for each in (view.source, *(each for group in view.groups for each in group.sources))}
    return PinnedView(
        view=view,
        events=store.pin_events(view.source),
        groups=groups,
        labels=tuple(store.pin_events(each.source) for each in view.label_sources),
        cut_us=available[slowest] if cut_us is None else cut_us,
        lateness_us=lateness_us,
        kept_from_us=max(map(store.kept_from_us, sources.values())),
        named=tuple(store.pin_events(each) for each in category_sources(view)),
    )


def category_sources(view: FeatureView) -> tuple[EventSource, ...]:
    """The sources whose events have the texts of stored categories."""
    stored = [each.inputs[0].feature for _, each in view.categories if each.inputs[0].is_text]
    found = {source.name: source for each in stored if each is not None for source in each.group.sources}
    return tuple(found.values())
