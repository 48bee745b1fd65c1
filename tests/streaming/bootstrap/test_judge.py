"""Each way in which a shard can stand to the archive and the log, and what follows."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.formats.shard_meta import Gap, Partition, ShardMeta, VectorEntry
from streaming.bootstrap.archive_coverage import ArchiveCoverage, archive_coverage
from streaming.bootstrap.judge import State, judge
from streaming.kafka.brokers.topics import Topic
from streaming.lake.events_reader import EventsReader
from tests.streaming.materialize.world import World
from tests.streaming.small_domain import PAYER, PAYMENTS

P: Partition = ("payments", "id", 0)
Q: Partition = ("payments", "id", 1)


def meta(at: int, gaps: tuple[tuple[int, int], ...] = (), behind: bool = False, topic_id: str = "id") -> ShardMeta:
    vector = {("payments", topic_id, 0): VectorEntry(at, 0)} if at >= 0 else {}
    named: tuple[Gap, ...] = tuple((P, first, past) for first, past in gaps)
    return ShardMeta(bytes(16), 1, behind, PAYER.fingerprint, 0, vector, named)


def archive(at: int, *gaps: tuple[int, int]) -> ArchiveCoverage:
    return ArchiveCoverage(
        {P: VectorEntry(at, 0), Q: VectorEntry(-1, -1)}, tuple((P, first, past) for first, past in gaps)
    )


@pytest.mark.parametrize(
    ("stored", "held", "start", "wanted"),
    [
        (None, archive(-1), 0, State.BUILD),  # the very first start
        (None, archive(5), 0, State.BUILD),  # Redis was lost
        (None, archive(-1), 3, State.WAIT),  # records are gone: the archive has to say so first
        (meta(7, behind=True), archive(7), 0, State.BUILD),
        (meta(7), archive(7), 0, State.LIVE),
        (meta(7), archive(3), 0, State.LIVE),  # the archive is behind, or away
        (meta(7), archive(9), 8, State.LIVE),
        (meta(7), archive(20), 9, State.BUILD),  # an outage longer than retention; the archive has what is missing
        (meta(7), archive(7), 12, State.LIVE),  # nobody has it: both go on from 12 once the archive says so
        (meta(7), archive(5), 12, State.LIVE),  # the archive has less, it will record a gap from 6 on ...
        (meta(7), archive(11, (6, 12)), 12, State.BUILD),  # ... and then the shard holds more than the archive
        (meta(7), archive(9), 12, State.WAIT),  # 8 and 9 are in the archive, 10 and 11 are nowhere
        (meta(7), archive(11, (8, 12)), 12, State.LIVE),
        (meta(7), archive(20, (8, 12)), 15, State.BUILD),  # 12 to 14 are in the archive alone
        (meta(13, ((8, 12),)), archive(20, (8, 12)), 12, State.LIVE),
        (meta(13, ((8, 10), (10, 12))), archive(20, (8, 12)), 12, State.LIVE),
        (meta(13, ((8, 10),)), archive(20, (8, 12)), 12, State.BUILD),
        (meta(13), archive(20, (8, 12)), 12, State.BUILD),  # it had them: the archive does not
        (meta(13, ((8, 12),)), archive(20), 12, State.BUILD),
        (meta(10), archive(20, (8, 12)), 12, State.BUILD),  # it had some of them
        (meta(7, topic_id="other"), archive(7), 0, State.WAIT),
    ],
)
def test_verdicts(stored: ShardMeta | None, held: ArchiveCoverage, start: int, wanted: State) -> None:
    assert judge(PAYER, stored, held, {P: start, Q: 0}).state is wanted


def test_entities_erased_since_are_no_part_of_a_live_shard() -> None:
    since = replace(archive(7), erasures=2)
    assert judge(PAYER, replace(meta(7), erasures=2), since, {P: 0, Q: 0}).state is State.LIVE
    assert judge(PAYER, replace(meta(7), erasures=1), since, {P: 0, Q: 0}).state is State.BUILD


def test_what_the_archive_has_of_a_topic_of_before_is_not_built_from(tmp_path: Path) -> None:
    """Also where no meta names the old topic any more: Redis was lost, or the group's version was raised."""
    world = World(tmp_path, seed=1)
    for _ in range(100):
        world.produce()
    world.archive()
    table = EventsReader(tmp_path, PAYMENTS)
    table.refresh()
    held = archive_coverage([table], {"payments": Topic("payments", "made-anew", (0, 1))})
    verdict = judge(PAYER, None, held, {("payments", "made-anew", number): 0 for number in (0, 1)})
    assert verdict.state is State.WAIT
    assert "deleted and re-created" in verdict.reason


def test_another_meaning_is_never_built_over() -> None:
    other = ShardMeta(bytes(16), 1, False, "another", 0)
    verdict = judge(PAYER, other, archive(7), {P: 3, Q: 0})
    assert verdict.state is State.WAIT
    assert "raise the version to 2" in verdict.reason


def test_a_reason_names_the_partition() -> None:
    assert "payments, partition 0" in judge(PAYER, meta(7), archive(20), {P: 9, Q: 0}).reason
