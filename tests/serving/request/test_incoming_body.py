"""A body is read to its end, within a length and a time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from serving.errors import ClientLeftError, SlowRequestError, TooManyInstancesError
from serving.request.incoming_body import IncomingBody


def arriving(*parts: bytes | None, ends: bool = True) -> Callable[[], Any]:
    """The messages of a request in these parts. None: its client leaves. ends: whether the last part says so."""
    left = [
        {"type": "http.disconnect"}
        if part is None
        else {"type": "http.request", "body": part, "more_body": not ends or at < len(parts)}
        for at, part in enumerate(parts, 1)
    ]

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)
        return left.pop(0)

    return receive


def read(
    receive: Callable[[], Any], most_bytes: int = 10, within_s: float = 60.0, *, is_here: bool = False
) -> tuple[bytes, bool]:
    async def once() -> tuple[bytes, bool]:
        body = IncomingBody(receive, within_s, is_here=is_here)
        return await body.read(most_bytes), body.is_complete

    return asyncio.run(once())


@pytest.mark.parametrize("parts", [(b"0123456789",), (b"01234", b"", b"56789"), (b"0", b"123456789", b"")])
def test_a_body_of_the_greatest_length_is_read_whole_in_any_parts(parts: tuple[bytes, ...]) -> None:
    assert read(arriving(*parts)) == (b"0123456789", True)
    assert read(arriving(*parts), is_here=True) == (b"0123456789", True)


@pytest.mark.parametrize("parts", [(b"0123456789a",), (b"01234", b"56789", b"a")])
def test_one_byte_more_is_refused_with_the_limit(parts: tuple[bytes, ...]) -> None:
    for is_here in (False, True):
        with pytest.raises(TooManyInstancesError) as refused:
            read(arriving(*parts), is_here=is_here)
        assert refused.value.extra == {"limit": 10}


def test_what_is_too_long_is_not_kept_until_its_end() -> None:
    """The rest of an endless body is never asked for."""
    with pytest.raises(TooManyInstancesError):
        read(arriving(b"0123456789", b"a", ends=False))


def test_a_body_that_never_ends_is_too_slow() -> None:
    with pytest.raises(SlowRequestError, match=r"not complete within 0\.05 seconds"):
        read(arriving(b"01", ends=False), within_s=0.05)
    with pytest.raises(SlowRequestError):  # also where it was thought to be here
        read(arriving(b"01", ends=False), within_s=0.05, is_here=True)


def test_a_client_that_leaves_is_told_from_one_that_is_slow() -> None:
    with pytest.raises(ClientLeftError, match="closed the connection"):
        read(arriving(b"01", None))


def test_dropping_reads_to_the_end_and_takes_a_client_that_leaves() -> None:
    async def dropped(receive: Callable[[], Any]) -> bool:
        body = IncomingBody(receive, 60.0)
        await body.drop()
        return body.is_complete

    assert asyncio.run(dropped(arriving(b"x" * 99, b"y")))
    assert asyncio.run(dropped(arriving(b"x", None)))
