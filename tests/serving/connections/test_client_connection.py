"""Attacks on one connection of the running service: what is too long or slow is refused, others are answered."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from tests.serving.conftest import machine_states
from tests.serving.running_service import BODY, predict, running

RECEIVE_S = 2.0
PATIENCE_S = 60.0
PATH = "/v1/views/breakdown:predict"
RAW = json.dumps(BODY).encode()
JAVA = Path(__file__).with_name("JavaClient.java")


@pytest.fixture(scope="module")
def service(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path, int]]:
    log = tmp_path_factory.mktemp("connections") / "log"
    options = ("--serving-receive-s", str(RECEIVE_S), "--serving-answer-s", "2", "--log-format", "json")
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.mset(machine_states())
        with running(server, published, log, *options) as (http, child):
            assert predict(http)[0].status_code == 200
            yield http, log, child.pid


class Attacker:
    """A bare socket to the service."""

    def __init__(self, http: httpx.Client) -> None:
        self.socket = socket.create_connection((http.base_url.host, http.base_url.port), timeout=PATIENCE_S)
        self.closed = False

    def send(self, data: bytes) -> "Attacker":
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True
        return self

    def answer(self) -> bytes:
        """All that comes until the service ends the connection."""
        found = b""
        try:
            while data := self.socket.recv(65536):
                found += data
        except ConnectionResetError:
            pass
        return found

    def __enter__(self) -> "Attacker":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def answers_others(http: httpx.Client) -> bool:
    return predict(http)[0].status_code == http.get("/health/live").status_code == 200


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def logged(log: Path, says: str) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not any(says in line for line in log.read_text().splitlines()):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found: dict[str, Any] = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % found["status"])
    return found


HEADS = {
    "one header without an end": (b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 1_000_000),
    "many headers": (b"GET /health/live HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n" * 150_000),
    "a path without an end": (b"GET /", b"x" * 1_000_000),
    "empty lines": (b"", b"\r\n" * 500_000),
    "trailers": (
        b"POST " + PATH.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"a: b\r\n" * 150_000,
    ),
    "a chunk's extension": (
        b"POST " + PATH.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"a" * 1_000_000,
    ),
}


@pytest.mark.parametrize(("begins", "goes_on"), HEADS.values(), ids=HEADS)
def test_a_head_without_an_end_is_refused_at_64_kb_and_held_nowhere(service, begins, goes_on):
    """200 MB of one header stopped the service for minutes; 64 MB of small ones took 700 MB."""
    http, log, pid = service
    before = memory_mb(pid)
    with Attacker(http) as attacker:
        attacker.send(begins)
        began = time.monotonic()
        while not attacker.closed and time.monotonic() - began < PATIENCE_S:
            attacker.send(goes_on)
        assert attacker.closed
        if b"chunked" not in begins:  # there the answer to the request may have begun
            assert problem(attacker.answer())["type"] == "/docs#head-too-long"
    assert answers_others(http)
    assert memory_mb(pid) - before < 20
    assert logged(log, "refused: The head of the request is too long")


def test_a_head_just_below_the_limit_is_read(service):
    http, _, _ = service
    assert http.get("/health/live", headers={"X": "x" * 65_000}).status_code == 200
    assert http.get("/health/live", headers={"X": "x" * 90_000}).status_code == 431


SLOW = {
    "nothing": b"",
    "half a request line": b"POST /v1/vi",
    "half a head": b"POST /v1/views/breakdown:predict HTTP/1.1\r\nHost: a\r\n",
    "no body": b"POST /v1/views/breakdown:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
    "half a body": b"POST /v1/views/breakdown:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{",
    "no body of a path without one": b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
}


def test_a_client_that_lets_the_service_wait_is_sent_away(service):
    """A body that never began, a head that never ended, and a connection without a byte were waited for for ever."""
    http, log, _ = service
    attackers = {name: Attacker(http).send(sent) for name, sent in SLOW.items()}
    answers = {}
    for name, attacker in attackers.items():
        with attacker:
            answers[name] = attacker.answer()  # it is patient, and not for ever
    assert answers_others(http)
    assert answers.pop("nothing") == b""
    assert answers.pop("no body of a path without one").startswith(b"HTTP/1.1 404 ")
    for answer in answers.values():
        assert problem(answer)["type"] == "/docs#slow-request"
    for says in (
        "the client sent nothing",
        "refused: The request arrived too slowly",
        "sent the body of a request too",
    ):
        assert logged(log, says)


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(service):
    http, _, _ = service
    began = time.monotonic()
    with Attacker(http) as attacker:
        while not attacker.closed and time.monotonic() - began < PATIENCE_S:
            attacker.send(b"G")
            time.sleep(0.1)
        assert attacker.closed


def test_a_client_that_does_not_read_its_answers_is_sent_away(service):
    http, log, _ = service
    with Attacker(http) as attacker:
        attacker.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        attacker.send(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20)  # 30 MB of answers
        assert logged(log, "did not read its answer")
    assert answers_others(http)


def test_a_body_that_is_too_long_is_answered_and_its_connection_closed(service):
    """After the 413 an endless body was still read."""
    http, _, _ = service
    began = time.monotonic()
    with Attacker(http) as attacker:
        attacker.send(b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % PATH.encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        while not attacker.closed and time.monotonic() - began < PATIENCE_S:
            attacker.send(chunk)
        assert attacker.closed
        assert problem(attacker.answer())["type"] == "/docs#too-many-instances"


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (
        PATH.encode(), b"".join(headers), len(body), body,
    )  # fmt: skip


@pytest.mark.parametrize("in_one_packet", [True, False])
def test_the_body_of_a_request_that_asks_for_http2_is_its_body(service, in_one_packet):
    """It was parsed as a second request: whoever writes a body could send any request past a proxy."""
    http, _, _ = service
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    whole = post(smuggled, UPGRADE)
    with Attacker(http) as attacker:
        for part in [whole] if in_one_packet else [whole[: -len(smuggled)], smuggled]:
            attacker.send(part)
            time.sleep(0.2)
        attacker.send(post(RAW, UPGRADE, b"X: 1\r\n") + post(RAW, b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"))
        answers = attacker.answer()
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"422", b"200", b"200"]
    assert b'{"status":"live"}' not in answers


def test_many_wishes_for_http2_in_one_packet_are_answered_one_by_one(service):
    http, _, _ = service
    with Attacker(http) as attacker:
        attacker.send(post(b"{", UPGRADE) * 100 + post(b"{", b"Connection: close\r\n"))
        assert attacker.answer().count(b"HTTP/1.1 422 ") == 101


def test_requests_are_not_piled_up_without_bound(service):
    """250 kB of small requests in one packet took 12 MB."""
    http, log, _ = service
    with Attacker(http) as attacker:
        attacker.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000)
        assert attacker.answer().count(b"HTTP/1.1 200") < 20_000
    assert logged(log, "sent too many requests without waiting")
    assert answers_others(http)


def test_a_body_of_very_many_chunks_is_refused_and_one_of_many_is_read(service):
    """4.5 million chunks of a byte were within the limit of a body, and kept everybody waiting for seconds."""
    http, _, _ = service
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" % PATH.encode()
    spaces = b"1\r\n \r\n"
    with Attacker(http) as attacker:
        attacker.send(head + spaces * 10_000 + CHUNKED)
        assert attacker.answer().startswith(b"HTTP/1.1 200 ")
    with Attacker(http) as attacker:
        attacker.send(head + spaces * 16_385)
        assert "16384 chunks" in problem(attacker.answer())["detail"]
    assert http.get("/health/live").status_code == 200


SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(RAW), RAW)
LENGTH = b"Content-Length: %d\r\n" % len(RAW)
FRAMES = {
    "a length and chunks": (LENGTH + b"Transfer-Encoding: chunked\r\n", CHUNKED),
    "chunks and a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", CHUNKED),
    "two lengths": (LENGTH + b"Content-Length: 3\r\n", RAW),
    "a length twice": (LENGTH * 2, RAW),
    "a list of lengths": (b"Content-Length: 3, 3\r\n", RAW),
    "a length with a sign": (b"Content-Length: +3\r\n", RAW),
    "a length beyond 64 bits": (b"Content-Length: 99999999999999999999\r\n", RAW),
    "almost chunked": (b"Transfer-Encoding: xchunked\r\n", CHUNKED),
    "chunked, then not": (b"Transfer-Encoding: chunked, identity\r\n", CHUNKED),
    "chunked twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED),
    "chunked behind a control character": (b"Transfer-Encoding: \x0bchunked\r\n", CHUNKED),
    "a space before the colon": (b"Transfer-Encoding : chunked\r\n" + LENGTH, CHUNKED),
    "a header that is folded": (b"Transfer-Encoding:\r\n chunked\r\n", CHUNKED),
    "a bare line end": (b"X: a\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "a bare carriage return": (b"X: a\rTransfer-Encoding: chunked\r\n", CHUNKED),
    "a NUL": (b"X: \x00\r\n" + LENGTH, RAW),
    "a chunk's size with 0x": (b"Transfer-Encoding: chunked\r\n", b"0x" + CHUNKED),
    "a chunk's size beyond 64 bits": (b"Transfer-Encoding: chunked\r\n", b"f" * 17 + b"\r\n" + RAW),
    "a chunk longer than its size": (b"Transfer-Encoding: chunked\r\n", b"1\r\n" + RAW + b"\r\n0\r\n\r\n"),
    "chunks with bare line ends": (b"Transfer-Encoding: chunked\r\n", CHUNKED.replace(b"\r\n", b"\n")),
}  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
def test_a_body_whose_end_two_readers_may_see_differently_is_refused_with_all_behind_it(service, frame):
    """Request smuggling: a proxy that lets it pass may take what follows for a request of somebody else."""
    http, _, _ = service
    headers, body = FRAMES[frame]
    with Attacker(http) as attacker:
        attacker.send(b"POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n%s%s" % (PATH.encode(), headers, body, SMUGGLED))
        answers = attacker.answer()
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"400"]
    assert problem(answers)["type"] == "/docs#bad-request"


@pytest.mark.parametrize(
    "request_line", [b"CONNECT other:443 HTTP/1.1", b"PRI * HTTP/2.0", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9"]
)
def test_what_is_not_http_1_1_is_refused(service, request_line):
    http, _, _ = service
    with Attacker(http) as attacker:
        attacker.send(request_line + b"\r\nHost: a\r\n\r\n")
        assert problem(attacker.answer())["type"] == "/docs#bad-request"


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java here")
def test_the_http_client_of_java_gets_its_predictions(service):
    """It asks for HTTP/2 by default, and got 422."""
    http, _, _ = service
    url = str(http.base_url.join(PATH))
    done = subprocess.run(["java", str(JAVA), url, json.dumps(BODY)], capture_output=True, text=True, timeout=120)
    expected = f"200 HTTP_1_1 {predict(http)[0].text}"
    assert done.stdout.splitlines() == [expected, expected], done.stderr


def test_a_name_that_costs_its_square_to_refuse_keeps_nobody_waiting(service):
    http, _, _ = service
    body = json.dumps({"instances": [], " - at `" * 500_000 + "\n": 1}).encode()
    assert http.post(PATH, content=body).status_code == 422
    assert answers_others(http)
