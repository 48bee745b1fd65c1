"""One shard's keys in Redis: read its meta, load entities, commit by compare-and-set.

A commit is begun first and completed later. While Redis works on it, the next batch is fetched, decoded and applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError, RedisError

from shared_features.definitions import FeatureGroup
from shared_features.errors import FormatVersionError
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta
from streaming.errors import RestartNeeded
from streaming.job.backoff import Tries
from streaming.log import get_log
from streaming.online_store.link import RedisLink
from streaming.online_store.redis_outage import AWAY, passing

_LOG = get_log("online")
_SCRIPT = files("streaming.online_store").joinpath("commit.lua").read_bytes()
_SCRIPT_ID = sha1(_SCRIPT, usedforsecurity=False).hexdigest()
_LOAD_AT_ONCE = 2_000  # entities per read: a few hundred KB, about a millisecond for Redis

NO_META = b""
NOT_A_STRING = b""
"""The value of a key that holds no string. No state has these bytes."""


def shard_label(group: FeatureGroup, number: int) -> str:
    """The name of a shard in Bytewax, logs and messages: `<group>:v1:3`."""
    return f"{group.label}:{number}"


def is_live(meta: ShardMeta | None) -> bool:
    """Whether a shard is complete: it was built, and its vector says up to which events."""
    return meta is not None and not meta.behind


def readable_meta(stored: bytes | None, key: bytes) -> ShardMeta | None:
    """The meta in the bytes under its key; None without bytes, or for bytes that cannot be read."""
    try:
        return None if stored is None else decode_meta(stored, key)
    except FormatVersionError as error:
        _LOG.warning("ignoring a shard's meta that cannot be read; bootstrap rebuilds the shard", error=str(error))
        return None


def expiry_ms(group: FeatureGroup) -> int:
    """Expiry of an entity's key: twice the time after which its newest event is too old for every window."""
    return group.kept_us // 1000


@dataclass
class _Commit:
    """A commit in progress. `packed` is kept, because only the same call may be sent again."""

    expected: bytes
    written: bytes
    packed: list[bytes]
    sent: bool


class ShardStore:
    """The only writer of a shard's keys, as long as every commit finds the commit id of the previous commit."""

    def __init__(self, link: RedisLink, label: str, meta_key: bytes, expiry_ms: int) -> None:
        self._link = link
        self._label = label
        self._meta_key = meta_key
        self._expiry_ms = expiry_ms
        self._commit_id = NO_META
        self._under_way: _Commit | None = None

    @classmethod
    def of(cls, link: RedisLink, namespace: str, group: FeatureGroup, number: int) -> ShardStore:
        """The store of a group's shard."""
        return cls(link, shard_label(group, number), meta_key(namespace, group, number), expiry_ms(group))

    @property
    def meta_key(self) -> bytes:
        return self._meta_key

    def read_meta(self) -> ShardMeta | None:
        """The shard's meta. From now on commits and loads expect its commit id.

        None if there is no meta, or one that this version cannot read. In both cases the shard must be rebuilt.
        """
        (stored,) = self._link.call("MGET", self._meta_key)  # GET refuses a key that holds no string
        self._commit_id = NO_META if stored is None else stored[:COMMIT_ID_BYTES]
        return readable_meta(stored, self._meta_key)

    def load(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The stored values of entities, read together with the meta in one step. RestartNeeded if the meta changed."""
        self.settle()
        values: list[bytes | None] = []
        for start in range(0, len(keys), _LOAD_AT_ONCE):
            meta, *found = self._link.call("MGET", self._meta_key, *keys[start : start + _LOAD_AT_ONCE])
            self._check(NO_META if meta is None else meta[:COMMIT_ID_BYTES])
            values += self._told_apart(keys[start : start + _LOAD_AT_ONCE], found)
        return values

    def _told_apart(self, keys: Sequence[bytes], found: list[bytes | None]) -> list[bytes | None]:
        """The values, NOT_A_STRING for a key that holds a hash or a list: MGET tells it as if it were missing."""
        missing = [row for row, value in enumerate(found) if value is None]
        if missing and self._link.call("EXISTS", *(keys[row] for row in missing)):
            for row in missing:
                if self._link.call("TYPE", keys[row]) not in (b"none", b"string"):
                    found[row] = NOT_A_STRING
        return found

    def begin_commit(self, meta: ShardMeta, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Send the changed values with the new meta and its new commit id, after the previous commit is complete."""
        self.settle()
        arguments: list[Any] = ["EVALSHA", _SCRIPT_ID, 1 + len(keys), self._meta_key, *keys]
        stored_meta = encode_meta(meta if meta.key == self._meta_key else replace(meta, key=self._meta_key))
        packed = self._link.pack(*arguments, self._commit_id, stored_meta, self._expiry_ms, *values)
        self._under_way = _Commit(self._commit_id, meta.commit_id, packed, sent=False)
        self._send(self._under_way)

    def settle(self) -> None:
        """Wait until the commit in progress is done. RestartNeeded if another process has taken the shard."""
        commit, tries = self._under_way, self._link.tries()
        while commit is not None and not self._is_done(commit, tries):
            pass
        if commit is not None:
            self._commit_id, self._under_way = commit.written, None

    def close(self) -> None:
        """Complete the commit and close the connection."""
        self.settle()
        self._link.close()

    def _send(self, commit: _Commit) -> None:
        try:
            self._link.begin(commit.packed)
            commit.sent = True
        except AWAY as error:
            _LOG.debug("retrying a commit that could not be sent", shard=self._label, error=str(error))

    def _is_done(self, commit: _Commit, tries: Tries) -> bool:
        if commit.sent and self._was_written(commit, tries):
            return True
        # Refused, or the outcome is unknown: the stored id alone says what happened.
        (meta,) = self._link.call("MGET", self._meta_key)
        stored = NO_META if meta is None else meta[:COMMIT_ID_BYTES]
        if stored == commit.written:
            return True
        self._check(stored)
        self._send(commit)  # the same call: if the first one still arrives, only one of the two finds the expected id
        return False

    def _was_written(self, commit: _Commit, tries: Tries) -> bool:
        commit.sent = False
        try:
            written = bool(self._link.answer())
        except NoScriptError:  # Redis was restarted, or never received the script
            self._link.call("SCRIPT", "LOAD", _SCRIPT)
        except RedisError as error:
            if not passing(error):
                raise
            self._link.wait(tries, error)
        else:
            if written:
                self._link.wrote()
            return written
        return False

    def _check(self, stored: bytes) -> None:
        if stored != self._commit_id:
            raise RestartNeeded(
                f"shard {self._label}: its commit id in Redis is {stored.hex() or 'absent'}, expected "
                f"{self._commit_id.hex() or 'absent'}: another process has committed, or Redis was rolled back"
            )
