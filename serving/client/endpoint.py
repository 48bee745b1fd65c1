"""A typed client of a running endpoint, for a thread and for an event loop. It needs the base install alone.

    with Endpoint("http://localhost:8000") as endpoint:
        (prediction,) = endpoint.predict("order_return", [{"shopper": "s5", "price": 80}]).predictions

A call has one deadline. Within it, a request is sent again where the endpoint cannot be reached or answers 429 or 503:
after `Retry-After`, or sooner where the answer gives none. A request is never sent twice at a time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from urllib.parse import quote

import msgspec

from serving.client.answers import Answer
from serving.client.kept_connections import KeptConnections
from serving.errors import EndpointAwayError, RefusedByEndpointError
from serving.request.predict_path import PREDICT_END, PREDICT_START

Instance = Mapping[str, object]
_ANSWERS = msgspec.json.Decoder(Answer)
_LATER = (429, 503)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0


class Endpoint:
    """One endpoint at `url`, for any number of threads. within_s: seconds for each call, repetitions included.

    key: an API key, where the endpoint asks for one.
    """

    def __init__(self, url: str, *, key: str = "", within_s: float = 2.0) -> None:
        self._connections, self._within_s = KeptConnections(url, key), within_s

    def predict(
        self,
        view: str,
        instances: Sequence[Instance],
        *,
        as_of: int | str | None = None,
        include_features: bool = False,
        explain: bool = False,
        within_s: float | None = None,
    ) -> Answer:
        """One prediction for each instance. `as_of`: microseconds since 1970 or RFC 3339; None: now.

        Raises RefusedByEndpointError for an answer that refuses, and EndpointAwayError where no answer came in time.
        """
        body = _body(instances, as_of, include_features, explain)
        return self._predict(view, body, time.monotonic() + (self._within_s if within_s is None else within_s))

    def _predict(self, view: str, body: bytes, until_s: float) -> Answer:
        path = f"{PREDICT_START}{quote(view, safe=':+')}{PREDICT_END}"
        longest_s = _FIRST_PAUSE_S
        while True:
            failure: EndpointAwayError | RefusedByEndpointError
            pause_s = random.uniform(longest_s / 2, longest_s)  # clients do not come back all at once
            try:
                status, retry_after, answer = self._connections.post(path, body, until_s)
            except EndpointAwayError as error:
                failure = error
            else:
                if status == 200:
                    return _read(answer)
                failure = _refusal(status, answer)
                if status not in _LATER:
                    raise failure
                if retry_after is not None and retry_after.isdecimal():
                    pause_s += int(retry_after[:9])
            if time.monotonic() + pause_s >= until_s:
                raise failure
            time.sleep(pause_s)
            longest_s = min(2 * longest_s, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncEndpoint:
    """The same for an event loop. at_once: calls under way, each in a thread; the time of a call that waits counts."""

    def __init__(self, url: str, *, key: str = "", within_s: float = 2.0, at_once: int = 32) -> None:
        self._endpoint, self._within_s = Endpoint(url, key=key), within_s
        self._threads = ThreadPoolExecutor(at_once, "millrace-endpoint")

    async def predict(
        self,
        view: str,
        instances: Sequence[Instance],
        *,
        as_of: int | str | None = None,
        include_features: bool = False,
        explain: bool = False,
        within_s: float | None = None,
    ) -> Answer:
        """As `Endpoint.predict`."""
        body = _body(instances, as_of, include_features, explain)
        until_s = time.monotonic() + (self._within_s if within_s is None else within_s)
        call = partial(self._endpoint._predict, view, body, until_s)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def close(self) -> None:
        """Wait for the calls under way, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._endpoint.close()

    async def __aenter__(self) -> AsyncEndpoint:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _body(instances: Sequence[Instance], as_of: int | str | None, include_features: bool, explain: bool) -> bytes:
    asked: dict[str, object] = {"instances": instances}
    if as_of is not None:
        asked["as_of"] = as_of
    if include_features:
        asked["include_features"] = True
    if explain:
        asked["explain"] = True
    return msgspec.json.encode(asked)


def _read(answer: bytes) -> Answer:
    try:
        return _ANSWERS.decode(answer)
    except msgspec.MsgspecError as error:
        raise RefusedByEndpointError(
            f"The answer cannot be read: {error}. Check that the address is that of `python -m serving`.", 200, {}
        ) from error


def _refusal(status: int, answer: bytes) -> RefusedByEndpointError:
    try:
        problem = msgspec.json.decode(answer, type=dict[str, object])
    except msgspec.MsgspecError:
        problem = {}
    detail = (
        problem.get("detail") or "The answer has no problem details. Check that the address is that of an endpoint."
    )
    return RefusedByEndpointError(f"The endpoint answers {status}. {detail}", status, problem)
