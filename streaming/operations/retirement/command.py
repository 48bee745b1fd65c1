"""`python -m streaming retire`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from contextlib import closing

import redis
from deltalake import DeltaTable

from shared_features.counted import counted
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.operations.retirement.needed import needed, written
from streaming.operations.retirement.version import Version, remove_table, sweep
from streaming.operations.retirement.version_keys import VersionKeys
from streaming.operations.saying import say
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if the version is still needed. Then nothing is removed."""
    version = Version.parse(options.label)
    try:
        with closing(VersionKeys(settings, version)) as keys:
            # States in Redis belong to no spine, so they stay if only the tables on one spine are removed.
            return _retire(settings, version, keys if options.spine is None else None, options)
    except redis.RedisError as error:
        raise RefusedError(f"Redis cannot be reached ({error}). Run this again when Redis is available") from error


def _retire(settings: StreamingSettings, version: Version, keys: VersionKeys | None, options: Namespace) -> int:
    snapshots, rows = (version.tables(settings.lake, kind, options.spine) for kind in ("snapshots", "features"))
    tables = [*snapshots, *(rows if options.with_rows else [])]
    if keys is not None:
        found = keys.count()
        entities, shards = counted(found["entity"], "entity", "entities"), counted(found["meta"], "shard")
        say(f"{version}: {entities} and {shards} in Redis")
    for table in snapshots:
        say(f"  {table.name}: {counted(DeltaTable(table).count(), 'state')}")
    for table in rows:
        kept = "" if options.with_rows else ", which are kept"
        say(f"  {table.name}: {counted(DeltaTable(table).count(), 'row')}{kept}")
    reasons = needed(settings, version, options.spine, with_rows=options.with_rows)
    if _refused([*reasons, *written(keys, tables)]):
        return EXIT_REFUSED
    if not options.execute:
        say("nothing is removed yet; add --execute")
        return EXIT_OK
    gone = 0 if keys is None else keys.remove()
    for table in tables:
        remove_table(table)
    sweep(settings.lake)
    say(f"{version}: {counted(gone, 'key')} and {counted(len(tables), 'table')} removed")
    return EXIT_OK


def _refused(reasons: Iterable[str]) -> bool:
    refused = False
    for reason in reasons:
        say(f"  still needed: {reason}")
        refused = True
    if refused:
        say("nothing is removed: see above what still needs it")
    return refused
