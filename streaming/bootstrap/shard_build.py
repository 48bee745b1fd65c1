"""One shard during its build: marked behind, filled, and made live, by the same compare-and-set as every commit."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, Gap, Partition, Progress, ShardMeta, VectorEntry
from shared_features.kernel.tile_state import TileState
from streaming.errors import RestartNeeded
from streaming.online_store.shard_store import ShardStore
from streaming.replay.entity_states import EntityKey, Owners

_TELL_EVERY_S = 1.0


class ShardBuild:
    """Takes the shard from its earlier writer, whose next commit then finds another commit id than it expects.

    `needed`: whether the meta that is about to be replaced still needs a build. Any method raises RestartNeeded if the
    build is not needed any more, another process has committed, or Redis was rolled back. Then check the shards again.
    """

    def __init__(
        self,
        group: FeatureGroup,
        store: ShardStore,
        entity_prefix: bytes,
        clock_us: Callable[[], int],
        needed: Callable[[ShardMeta | None], bool] = lambda _: True,
    ) -> None:
        self._group, self._store, self._prefix, self._clock_us = group, store, entity_prefix, clock_us
        self.build_id = secrets.randbits(63) + 1
        self._progress = Progress(clock_us(), 0, 0)
        self._told_at = 0.0
        if not needed(store.read_meta()):
            raise RestartNeeded("another process has built a shard meanwhile")
        self._commit(behind=True)

    def tell(self, done: int, total: int) -> None:
        """Store the progress, at most once a second."""
        self._progress = Progress(self._progress.began_at_us, done, max(done, total))
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._commit(behind=True)

    def write(self, keys: Sequence[EntityKey], states: Sequence[bytes]) -> None:
        """Begin to write entities of this build. No program reads them yet."""
        self._commit(True, self._redis_keys(keys), states)

    def load(self, keys: Sequence[EntityKey]) -> list[bytes | None]:
        """The stored states of entities, from this build or an earlier one. RestartNeeded for damaged ones."""
        redis_keys = self._redis_keys(keys)
        values, damaged, scratch = self._store.load(redis_keys), dict[int, str](), TileState(self._group.layout)
        owners, slots = owners_of(redis_keys), scratch.add(len(keys))
        decode_states(scratch, slots, values, self.build_id, owners, damaged)
        if damaged:
            rows = sorted(damaged)
            empty = encode_states(scratch, slots[rows], self.build_id, owners[rows])
            self._commit(True, [redis_keys[row] for row in rows], empty)
            self._store.settle()
            raise RestartNeeded(
                f"{len(rows)} states cannot be read and were emptied, so the build begins again. The first: "
                f"{redis_keys[rows[0]]!r}. {damaged[rows[0]]}"
            )
        return values

    def owners(self, keys: Sequence[EntityKey]) -> Owners:
        """The owners of the states of entities of the shard."""
        return owners_of(self._redis_keys(keys))

    def _redis_keys(self, keys: Sequence[EntityKey]) -> list[bytes]:
        return [self._prefix + str(key).encode() for key in keys]

    def finish(self, vector: dict[Partition, VectorEntry], gaps: Iterable[Gap], erasures: int) -> None:
        """Make the shard live. Its states hold all events up to the vector, without gaps and erased entities."""
        self._commit(False, vector=vector, gaps=tuple(gaps), erasures=erasures)
        self._store.close()

    def _commit(
        self,
        behind: bool,
        keys: Sequence[bytes] = (),
        states: Sequence[bytes] = (),
        vector: dict[Partition, VectorEntry] | None = None,
        gaps: tuple[Gap, ...] = (),
        erasures: int = 0,
    ) -> None:
        meta = ShardMeta(
            commit_id=secrets.token_bytes(COMMIT_ID_BYTES),
            build_id=self.build_id,
            behind=behind,
            fingerprint=self._group.fingerprint,
            committed_at_us=self._clock_us(),
            vector=vector or {},
            gaps=gaps,
            progress=self._progress,
            erasures=erasures,
            built_at_us=self._progress.began_at_us,
        )
        self._store.begin_commit(meta, keys, states)
        self._told_at = time.monotonic()
