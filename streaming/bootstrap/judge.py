"""Whether a shard can continue from what is stored, or must be built from the events tables.

Only this module decides this: from the shard's meta, from what the archive holds, and from where the logs begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from shared_features.definitions import FeatureGroup
from shared_features.formats.shard_meta import Partition, ShardMeta, merged
from streaming.bootstrap.archive_coverage import ArchiveCoverage
from streaming.kafka.brokers.recreated_topic import WAY_ON


class State(Enum):
    """LIVE: continues from its vector. BUILD: must be built. WAIT: something else has to happen first."""

    LIVE = "live"
    BUILD = "build"
    WAIT = "wait"


@dataclass(frozen=True)
class Verdict:
    """What to do with a shard, and the reason for people."""

    state: State
    reason: str


_LIVE = Verdict(State.LIVE, "")


def judge(
    group: FeatureGroup, meta: ShardMeta | None, archived: ArchiveCoverage, log_starts: Mapping[Partition, int]
) -> Verdict:
    """`log_starts`: the first offset that each log still holds, for all partitions of the group's topics."""
    if meta is not None and not meta.behind and meta.fingerprint != group.fingerprint:
        return Verdict(
            State.WAIT, f"its definition has changed under the same version; raise the version to {group.version + 1}"
        )
    if replaced := archived.replaced or (meta is not None and _replaced(meta, log_starts)):
        return Verdict(State.WAIT, replaced)
    if (need := _need(group, meta, archived, log_starts)) is None:
        return _LIVE
    for partition, start in sorted(log_starts.items()):
        if archived.held(partition) + 1 < start:
            held = archived.held(partition)
            reason = f"{need}; but first the archive has to pass a gap: {_named(partition)} begins at {start}, the "
            reason += f"archive ends at {held}"
            return Verdict(State.WAIT, reason)
    return Verdict(State.BUILD, need)


def _need(
    group: FeatureGroup, meta: ShardMeta | None, archived: ArchiveCoverage, log_starts: Mapping[Partition, int]
) -> str | None:
    """Why the shard must be built; None if it need not be built."""
    if meta is None:
        return "the shard was never built, or Redis has lost it"
    if meta.behind:
        return "its build was not finished, or states of it could not be read"
    if meta.erasures != archived.erasures:
        return "entities were erased from the events since, and Redis was rolled back or was not reached"
    for partition, start in sorted(log_starts.items()):
        at = meta.vector[partition].offset if partition in meta.vector else -1
        have = merged((first, past) for of, first, past in meta.gaps if of == partition)
        lost = merged((first, past) for of, first, past in archived.gaps if of == partition)
        passed = [span for span in lost if span[0] <= at]
        if have != passed:
            return f"{_named(partition)}: the archive lacks the offsets {passed}, the shard lacks {have}"
        beyond = next((past for first, past in lost if first == at + 1), at + 1)
        if beyond < start and not (archived.held(partition) < start - 1 and archived.held(partition) <= at):
            return f"{_named(partition)}: the log begins at {start}, the shard ends at {at}"
    return None


def _replaced(meta: ShardMeta, log_starts: Mapping[Partition, int]) -> str | None:
    ids = {topic: topic_id for topic, topic_id, _ in log_starts}
    for topic, topic_id, _ in meta.vector:
        if ids.get(topic, topic_id) != topic_id:
            return f"topic {topic} was deleted and re-created. {WAY_ON}"
    return None


def _named(partition: Partition) -> str:
    return f"topic {partition[0]}, partition {partition[2]}"
