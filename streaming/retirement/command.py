"""`python -m streaming retire`."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator

import redis
from deltalake import DeltaTable

from shared_features.definitions import load_definitions
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.registry_look import RegistryLook
from streaming.retirement.version import Version, VersionKeys, remove_table, sweep
from streaming.saying import say
from streaming.settings import StreamingSettings

LIVE_S = 60.0
"""A shard that was committed so lately has a writer."""


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 where the version is still needed; then nothing is removed."""
    version = Version.parse(options.label)
    keys = VersionKeys(settings, version)
    try:
        return _retire(settings, version, keys, with_rows=options.with_rows, execute=options.execute)
    except redis.RedisError as error:
        raise RefusedError(f"Redis cannot be asked ({error}); start again when it is there") from error
    finally:
        keys.close()


def _retire(settings: StreamingSettings, version: Version, keys: VersionKeys, *, with_rows: bool, execute: bool) -> int:
    snapshots, rows = version.tables(settings.lake, "snapshots"), version.tables(settings.lake, "features")
    found = keys.count()
    say(f"{version}: {found['entity']:,} entities and {found['meta']:,} shards in Redis")
    for table in snapshots:
        say(f"  {table.name}: {DeltaTable(table).count():,} states")
    for table in rows:
        say(f"  {table.name}: {DeltaTable(table).count():,} rows" + ("" if with_rows else ", which are kept"))
    reasons = [*_needed_by(settings, version, with_rows=with_rows), *_written(keys)]
    for reason in reasons:
        say(f"  still needed: {reason}")
    if reasons:
        say("nothing is removed: it is still needed")
        return EXIT_REFUSED
    if not execute:
        say("nothing is removed yet; add --execute to do it")
        return EXIT_OK
    gone = keys.remove()
    for table in [*snapshots, *(rows if with_rows else [])]:
        remove_table(table)
    sweep(settings.lake)
    say(f"{version}: {gone:,} keys and {len(snapshots) + (len(rows) if with_rows else 0)} tables removed")
    return EXIT_OK


def _needed_by(settings: StreamingSettings, version: Version, *, with_rows: bool) -> Iterator[str]:
    for group in load_definitions(settings.definitions).groups:
        if version.is_of(group.label):
            yield f"the definitions ({settings.definitions}) hold it; take it out of every view and group there first"
            break
    registry = RegistryLook(settings.registry)
    for served in registry.served():
        if any(version.is_of(_label(group.name, group.version)) for group in served.manifest.view.groups):
            yield (
                f"model {served.manifest.model} version {served.manifest.version}, alias {served.alias}, reads it; "
                "promote another version, or remove the alias"
            )
    if with_rows:
        tables = {table.name for table in version.tables(settings.lake, "features")}
        for dataset in registry.datasets():
            if pinned := sorted(tables & set(dataset.tables)):
                yield f"{dataset} pins the rows of {', '.join(pinned)}; retire without --with-rows"


def _label(name: str, number: int) -> str:
    """A group's label; the name of an addition carries its number: `name+M`."""
    group, plus, part = name.partition("+")
    return f"{group}:v{number}{plus}{part}"


def _written(keys: VersionKeys) -> Iterator[str]:
    now_s = time.time()
    for key, meta in keys.metas():
        age_s = now_s - meta.committed_at_us / 1e6
        if age_s < LIVE_S:
            yield f"{key} was committed {max(age_s, 0):.0f} s ago, so a process still writes it; stop that first"
            return
