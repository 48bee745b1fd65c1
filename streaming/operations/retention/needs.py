"""Which events of an events table are still needed, and by what. Each need says from which arrival time on.

- A *live window*: twice the longest window of every group that reads the source, its hop, the allowed lateness and the
  tolerated future, counted back from the group's cut. With fewer events, rows of late events would depend on the time
  of their pass.
- A *bootstrap*: three longest windows before the newest archived event. A shard without snapshot is built from these.
- A *snapshot*: what took effect since the latest snapshot of each spine. Materialize and bootstraps start from it.
- A *dataset* of the registry, or one that a user pinned: every event that a window of its rows reaches. Without a
  registry: everything.
- *Logged predictions* that were not audited: what their windows reach, and their rows of the log.
- A *hold*: see `formats.holds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.formats.offline_tables import events_table, features_table, snapshots_table
from shared_features.formats.prediction_log import SOURCE_NAME
from shared_features.kernel.event_time import to_us
from streaming.errors import RefusedError
from streaming.lake.look import LakeLook
from streaming.operations.registry_look import RegistryLook
from streaming.operations.retention.holds import read_holds
from streaming.operations.retention.unaudited import unaudited
from streaming.operations.retention.unaudited_scores import unaudited_scores
from streaming.replay.entity_states import built_from_us
from streaming.replay.snapshots import snapshot_cuts
from streaming.settings import StreamingSettings


@dataclass(frozen=True)
class Need:
    """`what` needs the events that arrived at `from_us` or later, and before `until_us` (None: no end)."""

    what: str
    from_us: int
    until_us: int | None = None


def needs(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> list[Need]:
    """Everything that needs events of a source, the earliest need first."""
    found = [Need(*each) for each in unaudited(settings, catalogue, source)]
    found += [Need(*each) for each in unaudited_scores(settings, catalogue, source)]
    if source.name == SOURCE_NAME:
        return sorted([*found, *_holds(settings, catalogue, source)], key=lambda need: need.from_us)
    look = LakeLook(settings.lake)
    found += [*_windows(settings, catalogue, look, source), *_bootstraps(settings, catalogue, look, source)]
    found += [*_datasets(settings, catalogue, source), *_holds(settings, catalogue, source)]
    return sorted(found, key=lambda need: need.from_us)


def _windows(settings: StreamingSettings, catalogue: Catalogue, look: LakeLook, source: EventSource) -> Iterator[Need]:
    lateness_us, lag_us = to_us(settings.allowed_lateness), to_us(settings.pipeline_lag)
    for group, spine in catalogue.spines:
        if source not in (*group.sources, spine):
            continue
        name = f"{group.label} on {spine.name}"
        cut_us = look.cut_us(group, spine)
        if cut_us is None:
            yield Need(f"the feature rows of {name}, none of which are materialized yet", -1)
            continue
        reach_us = 2 * group.longest_us + lateness_us + lag_us + _future_us(group, spine)
        yield Need(f"the live windows of {name}, counted back from its cut", cut_us - reach_us)
        snapshot_us = _latest_snapshot_us(look, group, spine)
        if snapshot_us is not None:
            from_us = snapshot_us - lag_us - _future_us(group, spine) - 1
            yield Need(f"the latest snapshot of {name}, from which materialize continues", from_us)


def _bootstraps(
    settings: StreamingSettings, catalogue: Catalogue, look: LakeLook, source: EventSource
) -> Iterator[Need]:
    lateness_us = to_us(settings.allowed_lateness)
    for group in catalogue.groups:
        if source in group.sources:
            archived_us = min((look.watermark_us(each) or -1 for each in group.sources), default=-1)
            reach_us = built_from_us(group) + lateness_us
            yield Need(f"a bootstrap of {group.label}", archived_us - reach_us)


def _datasets(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> Iterator[Need]:
    """A row can be rebuilt as long as all events in its windows are kept, from every source of its groups."""
    registry = RegistryLook(settings)
    if registry.missing is not None:
        yield Need(registry.missing, -1)
        return
    for dataset in registry.datasets():
        pairs = catalogue.spines
        groups = [
            group
            for group, spine in pairs
            if features_table(group, spine) in dataset.tables or group.label in dataset.replayed
        ]
        if events_table(source) in dataset.tables or any(source in group.sources for group in groups):
            reach_us = max((group.readable_us for group in groups), default=source.tolerated_future_us)
            yield Need(str(dataset), dataset.start_us - reach_us)


def _holds(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> Iterator[Need]:
    """Raises RefusedError for a hold on a source that is neither defined nor stored: its meaning is unknown."""
    known = {each.name for each in catalogue.sources}
    for name, hold in read_holds(settings.lake).items():
        unknown = [
            each
            for each in hold.sources or ()
            if each not in known and not (settings.lake / f"events_{each}" / "_delta_log").is_dir()
        ]
        if unknown:
            raise RefusedError(
                f"Hold {name} names unknown event sources: {', '.join(unknown)}. The definitions have "
                f"{', '.join(sorted(known))}. Correct the hold, or remove it"
            )
        if hold.sources is None or source.name in hold.sources:
            yield Need(f"hold {name} ({hold.reason})", hold.from_us, hold.until_us)


def _future_us(group: FeatureGroup, spine: EventSource) -> int:
    return max(group.tolerated_future_us, spine.tolerated_future_us)


def _latest_snapshot_us(look: LakeLook, group: FeatureGroup, spine: EventSource) -> int | None:
    table = look.table(snapshots_table(group, spine))
    return None if table is None else max(snapshot_cuts(table), default=None)
