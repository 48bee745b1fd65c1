"""Whether a shard can go on from what is stored, or has to be built from the events tables.

The one place that decides it, from the shard's meta, what the archive holds, and where the logs begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from shared_features.definitions import FeatureGroup
from shared_features.formats.shard_meta import Partition, ShardMeta, merged
from streaming.bootstrap.archive_coverage import ArchiveCoverage
from streaming.kafka.recreated_topic import WAY_ON


class State(Enum):
    """LIVE: goes on from its vector. BUILD: has to be built. WAIT: something else has to happen first."""

    LIVE = "live"
    BUILD = "build"
    WAIT = "wait"


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a shard, and why, for people."""

    state: State
    reason: str


_LIVE = Verdict(State.LIVE, "")


def judge(
    group: FeatureGroup, meta: ShardMeta | None, archived: ArchiveCoverage, log_starts: Mapping[Partition, int]
) -> Verdict:
    """`log_starts`: first offset that each partition's log still holds, of all partitions of the group's topics."""
    if meta is not None and not meta.behind and meta.fingerprint != group.fingerprint:
        return Verdict(State.WAIT, f"its definition has changed under one version; raise it to {group.version + 1}")
    if replaced := archived.replaced or (meta is not None and _replaced(meta, log_starts)):
        return Verdict(State.WAIT, replaced)
    if (need := _need(group, meta, archived, log_starts)) is None:
        return _LIVE
    for partition, start in sorted(log_starts.items()):
        if archived.held(partition) + 1 < start:
            reason = f"{need}; {_named(partition)} begins at {start}, the archive ends at {archived.held(partition)}"
            return Verdict(State.WAIT, reason)
    return Verdict(State.BUILD, need)


def _need(
    group: FeatureGroup, meta: ShardMeta | None, archived: ArchiveCoverage, log_starts: Mapping[Partition, int]
) -> str | None:
    """Why the shard has to be built; None when it need not."""
    if meta is None:
        return "it was never built, or Redis has lost it"
    if meta.behind:
        return "its build was not finished"
    if meta.erasures != archived.erasures:
        return "entities were erased from the events since, and Redis was set back or not reached"
    for partition, start in sorted(log_starts.items()):
        at = meta.vector[partition].offset if partition in meta.vector else -1
        have = merged((first, past) for of, first, past in meta.gaps if of == partition)
        lost = merged((first, past) for of, first, past in archived.gaps if of == partition)
        passed = [span for span in lost if span[0] <= at]
        if have != passed:
            return f"{_named(partition)}: the archive lacks {passed}, its states lack {have}"
        beyond = next((past for first, past in lost if first == at + 1), at + 1)
        if beyond < start and not (archived.held(partition) < start - 1 and archived.held(partition) <= at):
            return f"{_named(partition)}: the log begins at {start}, its states end at {at}"
    return None


def _replaced(meta: ShardMeta, log_starts: Mapping[Partition, int]) -> str | None:
    ids = {topic: topic_id for topic, topic_id, _ in log_starts}
    for topic, topic_id, _ in meta.vector:
        if ids.get(topic, topic_id) != topic_id:
            return f"topic {topic} was deleted and made anew. {WAY_ON}"
    return None


def _named(partition: Partition) -> str:
    return f"topic {partition[0]}, partition {partition[2]}"
