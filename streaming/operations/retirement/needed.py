"""What still needs a version, or its tables on one spine. Each reason is a sentence with what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared_features.definitions import Catalogue, load_definitions
from streaming.operations.registry_look import RegistryLook
from streaming.operations.retirement.version import Version, forgotten
from streaming.operations.retirement.version_keys import VersionKeys
from streaming.settings import StreamingSettings

LIVE_S = 60.0
"""A shard or table with a commit within this time still has a writer, seconds."""


def needed(settings: StreamingSettings, version: Version, spine: str | None, *, with_rows: bool) -> Iterator[str]:
    """What in the definitions and the registry needs the version. with_rows: its feature rows too."""
    catalogue, registry = load_definitions(settings.definitions), RegistryLook(settings)
    if spine is None:
        yield from _defined(settings, catalogue, version)
    elif version.is_read_on(spine, catalogue):
        yield f"a view of the definitions ({settings.definitions}) reads it on {spine}; remove it from that view first"
    if registry.missing is not None and (spine is None or with_rows):
        yield f"perhaps: {registry.missing}"
        return
    if spine is None:
        yield from _served(registry, version)
    tables = {table.name for table in version.tables(settings.lake, "features", spine)} if with_rows else set()
    for dataset in registry.datasets() if tables else ():
        if pinned := sorted(tables & set(dataset.tables)):
            yield f"{dataset} pins the rows of {', '.join(pinned)}; retire without --with-rows"


def written(keys: VersionKeys | None, tables: Sequence[Path]) -> Iterator[str]:
    """Which shard was written lately; without keys, which table."""
    now_s = time.time()
    for key, meta in keys.metas() if keys is not None else ():
        age_s = now_s - meta.committed_at_us / 1e6
        if age_s < LIVE_S:
            yield f"{key} was committed {max(age_s, 0):.0f} s ago, so a process still writes it; stop it first"
            return
    for table in tables if keys is None else ():
        commits = [each.stat().st_mtime for each in (table / "_delta_log").glob("*.json")]
        age_s = now_s - max(commits, default=0.0)
        if age_s < LIVE_S:
            yield f"{table.name} was written {max(age_s, 0):.0f} s ago; stop its writer, or wait a minute"


def _defined(settings: StreamingSettings, catalogue: Catalogue, version: Version) -> Iterator[str]:
    if not any(version.is_of(group.label) for group in catalogue.groups):
        return
    yield f"the definitions ({settings.definitions}) hold it; remove it from every view and group there first"
    own = {table.name for table in version.tables(settings.lake, "snapshots")}
    for table, arguments in forgotten(settings.lake, catalogue).items():
        if table in own:
            yield f"but nothing reads {table} any more: `retire {arguments}` removes only this table"


def _served(registry: RegistryLook, version: Version) -> Iterator[str]:
    for served in registry.served():
        if any(version.is_of(group.label) for group in served.manifest.view.groups):
            yield (
                f"model {served.manifest.model} version {served.manifest.version}, alias {served.alias}, reads it; "
                "promote another version, or remove the alias"
            )
