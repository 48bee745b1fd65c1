"""How far a rebuild is, and how long it still takes."""

from shared_features.formats.shard_meta import Progress, ShardMeta
from streaming.operations.status.shard import ShardStatus, shard_status, shards_text


def behind(committed_at_s: int, progress: Progress) -> ShardMeta:
    return ShardMeta(bytes(16), 1, True, "", committed_at_s * 1_000_000, progress=progress)


def test_the_pace_so_far_says_what_remains() -> None:
    meta = behind(40, Progress(10_000_000, 300, 400))  # 300 in 30 s
    assert shard_status(2, meta) == ShardStatus(2, "behind", 75.0, 10.0)


def test_before_anything_was_done_nobody_knows_how_long_it_takes() -> None:
    assert shard_status(0, behind(10, Progress(10_000_000, 0, 400))) == ShardStatus(0, "behind", 0.0)


def test_for_people_the_slowest_shard_counts() -> None:
    live, absent = shard_status(0, ShardMeta(bytes(16), 1, False, "", 0)), shard_status(1, None)
    slow, fast = ShardStatus(2, "behind", 10.0, 90.0), ShardStatus(3, "behind", 80.0, 3.0)
    assert shards_text([live, live]) == "2 live"
    assert shards_text([live, absent, slow, fast]) == "1 live, 2 behind (10 %, 90 s left), 1 absent"
