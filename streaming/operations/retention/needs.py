"""What of an events table is still needed, and by what: each need says from which arrival time on.

- A *live window*: twice the longest window of every group that reads the source, its hop, the allowed lateness and the
  tolerated future, counted back from the group's cut. Else rows of late events would depend on when they ran.
- A *bootstrap*: three longest windows before what is archived, from which a shard is built where no snapshot is.
- A *snapshot*: what took effect since the latest one of each spine, from which materialize starts and shards are built.
- A *dataset* of the registry: every event that a window of its rows reaches. Without a registry: everything.
- A *hold*: see `formats.holds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.formats.offline_tables import events_table, features_table, snapshots_table
from shared_features.kernel.event_time import to_us
from streaming.errors import RefusedError
from streaming.lake.look import LakeLook
from streaming.operations.registry_look import RegistryLook
from streaming.operations.retention.holds import read_holds
from streaming.replay.entity_states import built_from_us
from streaming.replay.snapshots import snapshot_cuts
from streaming.settings import StreamingSettings


@dataclass(frozen=True)
class Need:
    """Something needs the events that arrived at `from_us` or later. until_us: and before that; None: no end."""

    what: str
    from_us: int
    until_us: int | None = None


def needs(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> list[Need]:
    """Everything that needs events of a source, the most demanding first."""
    look = LakeLook(settings.lake)
    found = [*_windows(settings, catalogue, look, source), *_bootstraps(settings, catalogue, look, source)]
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
            yield Need(f"feature rows of {name}, none of which are materialized yet", -1)
            continue
        reach_us = 2 * group.longest_us + lateness_us + lag_us + _future_us(group, spine)
        yield Need(f"a live window of {name}, whose rows are complete up to its cut", cut_us - reach_us)
        snapshot_us = _latest_snapshot_us(look, group, spine)
        if snapshot_us is not None:
            from_us = snapshot_us - lag_us - _future_us(group, spine) - 1
            yield Need(f"the latest snapshot of {name}, from which it goes on", from_us)


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
    """A row is trained on as long as all that its windows reach is kept, of every source of its groups."""
    registry = RegistryLook(settings)
    if registry.missing is not None:
        yield Need(registry.missing, -1)
        return
    for dataset in registry.datasets():
        pairs = catalogue.spines
        groups = [group for group, spine in pairs if features_table(group, spine) in dataset.tables]
        if events_table(source) in dataset.tables or any(source in group.sources for group in groups):
            reach_us = max((group.readable_us for group in groups), default=source.tolerated_future_us)
            yield Need(str(dataset), dataset.start_us - reach_us)


def _holds(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> Iterator[Need]:
    """RefusedError for a hold of a source that is neither defined nor stored: who knows which one is meant."""
    known = {each.name for each in catalogue.sources}
    for name, hold in read_holds(settings.lake).items():
        unknown = [
            each
            for each in hold.sources or ()
            if each not in known and not (settings.lake / f"events_{each}" / "_delta_log").is_dir()
        ]
        if unknown:
            raise RefusedError(
                f"hold {name} names {', '.join(unknown)}, no event source of the definitions or of the lake; there are "
                f"{', '.join(sorted(known))}. Write it anew, or remove it"
            )
        if hold.sources is None or source.name in hold.sources:
            yield Need(f"hold {name} ({hold.reason})", hold.from_us, hold.until_us)


def _future_us(group: FeatureGroup, spine: EventSource) -> int:
    return max(group.layout.tolerated_future_us, spine.tolerated_future_us)


def _latest_snapshot_us(look: LakeLook, group: FeatureGroup, spine: EventSource) -> int | None:
    table = look.table(snapshots_table(group, spine))
    return None if table is None else max(snapshot_cuts(table), default=None)
