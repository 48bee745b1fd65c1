"""One shard as it is built: marked behind, filled, and made live, by the same compare-and-set as every commit."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence

from shared_features.definitions import FeatureGroup
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, Gap, Partition, Progress, ShardMeta, VectorEntry
from streaming.errors import RestartNeeded
from streaming.online_store.shard_store import ShardStore
from streaming.replay.entity_states import EntityKey

_TELL_EVERY_S = 1.0


class ShardBuild:
    """Takes the shard from whoever had it: his next commit finds another id than he expects.

    `needed`: asked about the meta that it is about to replace. RestartNeeded from any method: it is not needed any
    more, somebody else has committed, or Redis was set back; look again.
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
            raise RestartNeeded("a shard was built meanwhile; looking again")
        self._commit(behind=True)

    def tell(self, done: int, total: int) -> None:
        """Say how far it is, at most once a second."""
        self._progress = Progress(self._progress.began_at_us, done, max(done, total))
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._commit(behind=True)

    def write(self, keys: Sequence[EntityKey], states: Sequence[bytes]) -> None:
        """Begin to write entities of this build; nobody reads them yet."""
        self._commit(True, self._redis_keys(keys), states)

    def load(self, keys: Sequence[EntityKey]) -> list[bytes | None]:
        """What is stored of entities, of this build or of an earlier one."""
        return self._store.load(self._redis_keys(keys))

    def _redis_keys(self, keys: Sequence[EntityKey]) -> list[bytes]:
        return [self._prefix + str(key).encode() for key in keys]

    def finish(self, vector: dict[Partition, VectorEntry], gaps: Iterable[Gap], erasures: int) -> None:
        """Make it live: its states are those of all events up to the vector, without the gaps and what was erased."""
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
        )
        self._store.begin_commit(meta, keys, states)
        self._told_at = time.monotonic()
