"""Writes are joined in pairs; nothing is lost, changed in its order, or kept waiting."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from serving.connections.joined_writes import JoinedWrites


class Recorded(asyncio.Transport):
    """A transport that keeps what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[bytes | str] = []

    def write(self, data) -> None:
        self.done.append(bytes(data))

    def write_eof(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def is_closing(self) -> bool:
        return "reset" in self.done

    def get_write_buffer_size(self) -> int:
        return 1000


def done_to(*steps: str) -> list[bytes | str]:
    """What was done to a transport by these steps: texts to write, names of methods, or "turn" of the event loop."""

    async def run() -> list[bytes | str]:
        transport = Recorded()
        joined = JoinedWrites(transport, asyncio.get_running_loop())
        for step in steps:
            if step == "turn":
                await asyncio.sleep(0)
            elif step == "reset":
                transport.done.append("reset")
            elif step in ("close", "abort", "write_eof"):
                getattr(joined, step)()
            else:
                joined.write(step.encode())
        await asyncio.sleep(0)
        return transport.done

    return asyncio.run(run())


def test_a_head_and_its_body_are_one_write():
    assert done_to("head", "body") == [b"headbody"]


def test_a_head_does_not_wait_for_a_body_that_comes_later():
    assert done_to("head", "turn", "body") == [b"head", b"body"]


def test_two_answers_in_one_turn_are_two_writes():
    assert done_to("h1", "b1", "h2", "b2") == [b"h1b1", b"h2b2"]


def test_what_waits_is_written_before_the_end_of_the_connection_and_not_after_it_was_aborted():
    assert done_to("head", "close") == [b"head", "close"]
    assert done_to("head", "write_eof") == [b"head", "eof"]
    assert done_to("head", "abort") == ["abort"]


def test_nothing_is_written_to_a_client_that_has_reset_its_connection():
    """uvloop raises there, in a callback: each such client left a traceback in the log."""
    assert done_to("head", "reset", "turn") == ["reset"]


def test_what_waits_counts_as_not_yet_sent():
    async def run() -> list[int]:
        joined = JoinedWrites(Recorded(), asyncio.get_running_loop())
        sizes = [joined.get_write_buffer_size()]
        joined.write(b"head")
        sizes.append(joined.get_write_buffer_size())
        joined.write(b"body")
        return [*sizes, joined.get_write_buffer_size()]

    assert asyncio.run(run()) == [1000, 1004, 1000]


@given(st.lists(st.sampled_from(["turn", "a", "bc", "d" * 70_000]), max_size=30))
def test_all_of_it_is_written_in_its_order(steps):
    wanted = "".join(each for each in steps if each != "turn").encode()
    assert b"".join(each for each in done_to(*steps) if isinstance(each, bytes)) == wanted
