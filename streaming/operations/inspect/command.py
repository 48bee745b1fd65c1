"""`python -m streaming inspect ENTITY KEY`: an entity's events, tiles and features, from Redis and from the lake."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from typing import Any, TypeVar

from deltalake.exceptions import DeltaError
from redis.exceptions import RedisError

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, FeatureGroup, load_definitions
from shared_features.kernel.event_time import to_us
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.job.clock import system_clock_us
from streaming.online_store.link import RedisLink
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.inspect.comparison import compared, first_edge_us
from streaming.operations.inspect.entity_key import named_entity
from streaming.operations.inspect.history import lacks, was_erased
from streaming.operations.inspect.lake_entity import LakeEntity, read_lake
from streaming.operations.inspect.redis_entity import RedisEntity, read_entity
from streaming.operations.inspect.table import inspected_text
from streaming.operations.saying import say
from streaming.settings import StreamingSettings

_WITHIN_S = 5.0
_AWAY = (RedisError, OSError, DeltaError, RefusedError)
Answer = TypeVar("Answer")
Told = dict[str, Any]


def run(settings: StreamingSettings, options: Namespace) -> int:
    """Exit code 0, or 1 where a feature differs without a known reason."""
    catalogue = load_definitions(settings.definitions)
    as_of_us = system_clock_us() if options.as_of is None else options.as_of
    link = RedisLink(settings, within_s=_WITHIN_S)
    away: dict[str, str] = {}
    groups: list[Told] = []
    try:
        for subject in named_entity(catalogue, options.entity, options.key):
            groups += [
                _inspected(settings, link, group, subject, as_of_us, options.events, away)
                for group in _groups(catalogue, subject, options.group)
            ]
    finally:
        link.close()
    told = {"entity": options.entity, "key": options.key, "as_of_us": as_of_us, "unavailable": away, "groups": groups}
    say(json.dumps(told, indent=2) if options.json else inspected_text(told))
    unexplained = any(
        each["verdict"] == "differs" and not group["reasons"] for group in groups for each in group["features"]
    )
    return EXIT_REFUSED if unexplained else EXIT_OK


def _groups(catalogue: Catalogue, subject: Subject, wanted: str | None) -> list[FeatureGroup]:
    groups = [group for group in catalogue.groups if group.entity == subject.entity]
    if wanted is None:
        return groups
    found = [group for group in groups if wanted in (group.name, group.label)]
    if not found:
        labels = [group.label for group in groups]
        raise RefusedError(
            f"Entity {subject.entity.name!r} has no group {wanted!r}.{did_you_mean(wanted, labels)} It has "
            f"{', '.join(labels)}"
        )
    return found


def _inspected(
    settings: StreamingSettings,
    link: RedisLink,
    group: FeatureGroup,
    subject: Subject,
    as_of_us: int,
    newest: int,
    away: dict[str, str],
) -> Told:
    redis = _ask("Redis", away, lambda: read_entity(link, settings.redis_namespace, group, subject))
    vector = {} if redis is None or redis.meta is None else redis.meta.vector
    since_us = first_edge_us(group, as_of_us)
    lake = _ask("lake", away, lambda: read_lake(settings.lake, group, subject, vector, since_us, max(1, newest)))
    lag_us = to_us(settings.pipeline_lag)
    features, reasons, notes = compared(group, redis, lake, as_of_us, lag_us)
    if lake is not None and was_erased(settings.lake, subject):
        notes.append("the entity was erased on request: its earlier events are in neither store")
    return {
        "group": group.label,
        "redis": None if redis is None else _redis(redis),
        "events": [] if lake is None else _events(lake, redis)[:newest],
        "features": features,
        "as_served_lacks": None if lake is None else lacks(lake, as_of_us, lag_us),
        "reasons": reasons,
        "notes": notes,
    }


def _ask(part: str, away: dict[str, str], question: Callable[[], Answer]) -> Answer | None:
    if part in away:
        return None
    try:
        return question()
    except _AWAY as error:
        away[part] = " ".join(str(error).split())[:200] or type(error).__name__
        return None


def _redis(redis: RedisEntity) -> Told:
    vector = {} if redis.meta is None else redis.meta.vector
    return {
        "key": redis.key,
        "shard": redis.shard,
        "problem": redis.problem,
        "found": redis.found,
        "newest_us": redis.newest_us,
        "head": [{"event_time_us": time_us, "digest": f"{digest:016x}"} for time_us, digest in redis.head()],
        "tiles": [{"start_us": start, "hop_us": hop, "events": events} for start, hop, events in redis.tiles()],
        "vector": [
            {"topic": topic, "partition": partition, "offset": entry.offset}
            for (topic, _, partition), entry in sorted(vector.items())
        ],
    }


def _events(lake: LakeEntity, redis: RedisEntity | None) -> list[Told]:
    """The entity's events in the lake, newest first, and where Redis has each."""
    usable = redis is not None and redis.meta is not None and not redis.problem
    applied = lake.applied(redis.meta.vector if redis is not None and redis.meta is not None else {})
    in_head = set() if redis is None else {digest for _, digest in redis.head()}
    found = []
    for of, mask in zip(lake.sources, applied, strict=True):
        columns = (of.events.event_time_us, of.events.digest, of.rows.partition, of.rows.offset, of.rows.arrival_us)
        for time_us, digest, partition, offset, arrival_us, is_applied in zip(
            *(each.tolist() for each in columns), mask.tolist(), strict=True
        ):
            place = "head" if digest in in_head else "tile, or too old" if is_applied else "not yet"
            found.append(
                {
                    "event_time_us": time_us,
                    "source": of.source.name,
                    "partition": partition,
                    "offset": offset,
                    "arrival_time_us": arrival_us,
                    "in_redis": place if usable else "-",
                }
            )
    return sorted(found, key=lambda each: (-each["event_time_us"], each["source"], each["partition"], each["offset"]))
