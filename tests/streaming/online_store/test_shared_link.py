"""Several stores on one connection: one message for all, to each its own answers, and its end is told to all."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from redis import Connection
from redis.exceptions import ConnectionError, NoScriptError

from streaming.online_store.link import RedisLink
from streaming.online_store.shared_link import Lane, SharedLink
from streaming.settings import StreamingSettings
from tests.streaming.online.shards import Shards
from tests.streaming.online.some_log import a_log
from tests.streaming.small_domain import PAYER, SHOP_USE


@pytest.fixture
def shared(settings: StreamingSettings) -> SharedLink:
    return SharedLink(RedisLink(settings))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every piece that is given to the operating system for Redis."""
    found: list[bytes] = []
    send = Connection.send_packed_command

    def noted(self: Any, pieces: Iterable[bytes], check_health: bool = True) -> None:
        found.extend(pieces)
        send(self, pieces, check_health)

    monkeypatch.setattr(Connection, "send_packed_command", noted)
    return found


def echo(lane: Lane, text: str) -> None:
    lane.begin(lane.pack("ECHO", text))


def test_what_lanes_begin_goes_out_in_one_message_and_each_gets_its_own_answer(shared, sent):
    first, second, third = (shared.lane() for _ in range(3))
    echo(first, "a")
    echo(second, "b")
    echo(third, "c")
    echo(first, "d")
    assert sent == []
    shared.flush()
    shared.flush()
    sent = [message for message in sent if b"ECHO" in message]  # the connection greets Redis before
    assert len(sent) == 1
    assert [third.answer(), first.answer(), second.answer(), first.answer()] == [b"c", b"a", b"b", b"d"]


def test_who_asks_for_an_answer_need_not_flush(shared):
    first, second = shared.lane(), shared.lane()
    echo(first, "a")
    echo(second, "b")
    assert first.call("ECHO", "c") == b"c"  # also not who calls in between
    assert [second.answer(), first.answer()] == [b"b", b"a"]


def test_who_asks_for_the_answer_to_something_sent_sends_nothing_of_the_others(shared, sent):
    """Each shard settles its last commit before it begins the next: nine in ten went out as messages of their own."""
    first, second = shared.lane(), shared.lane()
    for text in ("a", "b"):
        echo(first, text)
        echo(second, text)
        shared.flush()
        del sent[:]
        assert first.answer() == text.encode()
        echo(first, "begun")
        assert second.answer() == text.encode()
        assert sent == []
        shared.flush()
        assert len(sent) == 1
        assert first.answer() == b"begun"


def test_an_error_of_one_call_is_told_to_its_lane_alone(shared):
    first, second = shared.lane(), shared.lane()
    first.begin(first.pack("EVALSHA", "0" * 40, 0))
    echo(second, "b")
    assert second.answer() == b"b"
    with pytest.raises(NoScriptError):
        first.answer()


@pytest.mark.parametrize("lose", [SharedLink.close, lambda shared: shared.link._connection.disconnect()])
def test_every_lane_hears_that_the_connection_was_lost(shared: SharedLink, lose: Callable[[SharedLink], None]) -> None:
    lanes = [shared.lane() for _ in range(3)]
    assert lanes[0].call("PING") == b"PONG"
    for lane in lanes:
        lane.begin(lane.pack("ECHO", "x"))
    shared.flush()
    lose(shared)
    for lane in lanes:
        with pytest.raises(ConnectionError):
            lane.answer()
    echo(lanes[1], "again")
    assert lanes[1].answer() == b"again"


def test_the_connection_ends_with_the_last_lane(shared):
    first, second = shared.lane(), shared.lane()
    echo(second, "b")
    first.close()
    assert second.answer() == b"b"
    second.close()
    assert shared.link._connection is None


def test_the_commits_of_a_poll_are_one_message(client, settings, sent):
    """Each took a call of the operating system on both sides: a sixth of what a commit of few events took.

    When each shard settled its last commit, the commits begun meanwhile went out, one by one.
    """
    groups = (PAYER, SHOP_USE)
    shards = Shards(settings, groups)
    at = dict.fromkeys(a_log(3).all(), -1)
    for count in (200, 230, 260):
        log = a_log(3, count)
        every = [log.poll(key, at[key]) for key in log.all()]
        sent.clear()
        shards.write(*every)
        at = {key: poll.to for key, poll in zip(log.all(), every, strict=True)}
        if count == 200:  # a new Redis does not know the script and answers each commit with an error
            for store in shards.stores:
                store.settle()
    commits = [message for message in sent if b"EVALSHA" in message]
    assert len(commits) == 1
    assert sum(message.count(b"EVALSHA") for message in commits) > len(groups)
    shards.close()
