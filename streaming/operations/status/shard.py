"""The status of one shard of the online store: live, being rebuilt (and how far), or absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared_features.formats.shard_meta import ShardMeta


@dataclass(frozen=True)
class ShardStatus:
    """percent and remaining_s only while behind: the progress of the rebuild, and the seconds left at its pace."""

    shard: int
    state: Literal["live", "behind", "absent"]
    percent: float | None = None
    remaining_s: float | None = None


def shard_status(number: int, meta: ShardMeta | None) -> ShardStatus:
    """`meta`: as stored, None if there is no readable meta."""
    if meta is None:
        return ShardStatus(number, "absent")
    if not meta.behind:
        return ShardStatus(number, "live")
    began_at_us, done, total = meta.progress
    if not done or not total:
        return ShardStatus(number, "behind", 0.0)
    pace_us = (meta.committed_at_us - began_at_us) / done
    return ShardStatus(number, "behind", round(100 * done / total, 1), round(pace_us * (total - done) / 1e6, 1))


def shards_text(shards: list[ShardStatus]) -> str:
    """The shards in one line, for people.

    >>> shards_text([ShardStatus(0, "live"), ShardStatus(1, "behind", 63.0, 12.0)])
    '1 live, 1 behind (63 %, 12 s left)'
    """
    counts = {state: sum(each.state == state for each in shards) for state in ("live", "behind", "absent")}
    texts = {state: f"{count} {state}" for state, count in counts.items() if count}
    if "behind" in texts:
        slowest = min((each for each in shards if each.state == "behind"), key=lambda each: each.percent or 0.0)
        left = "" if slowest.remaining_s is None else f", {slowest.remaining_s:.0f} s left"
        texts["behind"] += f" ({slowest.percent or 0:.0f} %{left})"
    return ", ".join(texts.values())
