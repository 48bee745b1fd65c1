"""A retire that is killed, or meets a build of the same version, leaves no shard that is live and lacks entities."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence

import pytest
import redis

from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from streaming.bootstrap.archive_coverage import ArchiveCoverage
from streaming.bootstrap.judge import State, judge
from streaming.operations.retirement.version_keys import VersionKeys
from streaming.settings import StreamingSettings
from tests.streaming.operations.retirement.test_command import ADDED, OLD, keys_of, settings
from tests.streaming.operations.stored_world import StoredWorld

__all__ = ["settings"]
KILLED = """
import os, signal
from streaming.operations.retirement.version_keys import VersionKeys
inner, calls = VersionKeys._unlinked, []
def some(self, keys):
    calls.append(inner(self, keys))
    if len(calls) == {}:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls[-1]
VersionKeys._unlinked = some
"""


def states_of_shards(settings: StreamingSettings) -> set[State]:
    found = set()
    with redis.Redis.from_url(settings.redis_url) as client:
        for group in (OLD, ADDED):
            for number in range(group.shards):
                meta = client.get(meta_key(settings.redis_namespace, group, number))
                whole = None if meta is None else decode_meta(meta)
                found.add(judge(group, whole, ArchiveCoverage({}, ()), {}).state)
    return found


@pytest.mark.parametrize("after", [1, 2])
def test_what_a_killed_run_leaves_is_built_by_whoever_has_the_version_again(
    world: StoredWorld, settings: StreamingSettings, after: int
) -> None:
    assert states_of_shards(settings) == {State.LIVE}
    child = world.started("retire", "payer:v7", "--execute", script=KILLED.format(after))
    out, errors = child.communicate(timeout=60)
    assert child.returncode == -9, out + errors
    assert keys_of(settings, OLD) > 0
    assert states_of_shards(settings) == {State.BUILD}
    assert "0 shards" in world.run("retire", "payer:v7", "--execute")
    assert keys_of(settings, OLD) == keys_of(settings, ADDED) == 0


def test_a_build_that_begins_meanwhile_is_refused_and_begins_anew(
    world: StoredWorld, settings: StreamingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would become live without those of its states that were taken for old ones."""
    inner, key = VersionKeys._unlinked, meta_key(settings.redis_namespace, OLD, 0)
    built: list[ShardMeta] = []

    def beside_a_build(self: VersionKeys, keys: Iterable[bytes]) -> Sequence[int]:
        done = inner(self, keys := list(keys))
        if key in keys and not built:
            built.append(ShardMeta(secrets.token_bytes(16), 2, True, OLD.fingerprint, int(time.time() * 1e6), key=key))
            self._client.set(key, encode_meta(built[0]))
        return done

    monkeypatch.setattr(VersionKeys, "_unlinked", beside_a_build)
    with redis.Redis.from_url(settings.redis_url) as client:
        assert "A process rebuilds payer:v7" in world.run("retire", "payer:v7", "--execute", code=1)
        assert client.get(key) is None
