"""Whether the stored features of a group can be used, as its shards were last read: a change is a line of the log."""

from __future__ import annotations

import threading
import time

from serving.log import get_log

_LOG = get_log("serving.online_store")
_TELL_EVERY_S = 10.0
"""Of states that cannot be read: not a line for each request that meets one."""


class GroupOutage:
    """Of one group, with one line when it begins and one when it ends: not one for each shard, view or request.

    A `Told` of the readers of stored features.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._problems: dict[int, str] = {}
        self._told_s = -_TELL_EVERY_S
        self._lock = threading.Lock()  # large batches are computed by threads

    def read(self, shard: int, problem: str | None) -> None:
        """A shard was read, and its meta says something new. problem: why it cannot be used."""
        with self._lock:
            was = bool(self._problems)
            if problem is None:
                self._problems.pop(shard, None)
            else:
                self._problems[shard] = problem
            lasts = bool(self._problems)
        if lasts and not was:
            _LOG.warning("missing the stored features of a group", group=self._group, shard=shard, reason=problem)
        elif was and not lasts:
            _LOG.info("reading the stored features of a group again", group=self._group)

    def unreadable_meta(self, key: bytes, error: str) -> None:
        """See Told."""
        _LOG.error("refusing a shard whose meta cannot be read", key=key.decode(), error=error)

    def unreadable_state(self, key: bytes, meta_key: bytes, error: str) -> None:
        """See Told."""
        now_s = time.monotonic()
        if now_s - self._told_s >= _TELL_EVERY_S:
            self._told_s = now_s
            name = key.decode(errors="backslashreplace")
            _LOG.error("refusing a state that cannot be read", key=name, meta=meta_key.decode(), error=error)


class GroupOutages:
    """By group. Views that read the same group share its outage."""

    def __init__(self) -> None:
        self._by_group: dict[str, GroupOutage] = {}

    def of(self, group: str) -> GroupOutage:
        """That of the group with this label."""
        return self._by_group.setdefault(group, GroupOutage(group))
