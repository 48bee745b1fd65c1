"""Events that scores need stay until an audit has moved its mark, where an audit has ever left one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared_features.formats.score_audit_mark import ScoreAuditMark, encode_score_audit_mark, score_audit_mark_file
from streaming.operations.retention.needs import needs
from streaming.operations.retention.unaudited_scores import unaudited_scores
from tests.streaming.operations.retention.test_retain import DAYS, days_of, history
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld
from tests.streaming.small_domain import OUTCOMES, PAYMENTS, SHOP_RISK, VIEW

__all__ = ["history"]
RETAIN = ("retain", "--before", "2026-01-03", "--execute")


@pytest.fixture
def scored(history: StoredWorld) -> StoredWorld:
    """The view is scored. Each partition of payments has four events a day."""
    history.settings = history.settings.model_copy(update={"score_topics": {VIEW.name: "scores"}})
    return history


def mark(world: StoredWorld, days: int, partitions: Sequence[int] = (0, 1)) -> None:
    """The scores of the events of so many days were audited, in these partitions."""
    file = world.lake / score_audit_mark_file(VIEW.name)
    file.parent.mkdir(exist_ok=True)
    events = dict.fromkeys(partitions, 4 * days - 1)
    file.write_bytes(encode_score_audit_mark(ScoreAuditMark(topic="scores", scores=events, events=events)))


def test_what_scores_need_goes_when_they_were_audited_and_nothing_is_kept_where_nobody_audits(
    scored: StoredWorld,
) -> None:
    assert not list(unaudited_scores(scored.settings, scored.catalogue, PAYMENTS))
    mark(scored, 1)
    (found,) = [each for each in needs(scored.settings, scored.catalogue, PAYMENTS) if "scores of" in each.what]
    assert "scores of view that are not audited: run `python -m training audit --scores --view view`" in found.what
    assert START_US < found.from_us < START_US + DAY_US  # the windows of the first event of the second day
    ((_, from_us),) = unaudited_scores(scored.settings, scored.catalogue, OUTCOMES)
    assert START_US + DAY_US - from_us >= SHOP_RISK.readable_us
    others: list[dict[str, object]] = [{"without_audit": True}, {"score_topics": {}}, {"score_topics": {"gone": "s"}}]
    for changed in others:
        settings = scored.settings.model_copy(update=changed)
        assert not list(unaudited_scores(settings, scored.catalogue, PAYMENTS))
    mark(scored, DAYS)
    assert not list(unaudited_scores(scored.settings, scored.catalogue, PAYMENTS))
    mark(scored, DAYS, partitions=[0])  # the other one had no event when the mark was left
    assert list(unaudited_scores(scored.settings, scored.catalogue, PAYMENTS))


@pytest.mark.deep
def test_a_day_whose_scores_are_not_audited_is_not_deleted_and_a_damaged_mark_deletes_nothing(
    scored: StoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_SCORE_TOPICS", '{"view": "scores"}')
    mark(scored, 1)
    assert "scores of view that are not audited" in scored.run(*RETAIN, code=1)
    (scored.lake / score_audit_mark_file(VIEW.name)).write_text("{")
    assert "is not an audit mark of scores" in scored.run(*RETAIN, code=1)
    assert len(days_of(scored)) == DAYS
    mark(scored, 4)
    assert "payments: 16 events deleted" in scored.run(*RETAIN)
    assert days_of(scored)[0] == "2026-01-03"
