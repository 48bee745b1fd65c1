"""Which errors of Redis pass, and that an outage is logged once when it begins and once when it ends."""

from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, ResponseError
from structlog.testing import capture_logs

from streaming.online_store.redis_outage import RedisOutage, passing


def test_what_passes_and_what_does_not() -> None:
    script = "Error running script (call to f_e0): @user_script:10: @user_script: 10: "
    assert passing(OutOfMemoryError("command not allowed when used memory > 'maxmemory'."))
    assert passing(ReadOnlyError("You can't write against a read only replica."))
    for text in (
        "MISCONF Redis is configured to",
        "NOREPLICAS Not enough",
        "BUSY Redis is busy",
        f"{script}-OOM command",
    ):
        assert passing(ResponseError(text)), text
    for text in ("wrong number of arguments", "BUSYKEY Target key", "WRONGTYPE", f"{script}-ERR unknown", "a -OOMPH"):
        assert not passing(ResponseError(text)), text


def test_a_connection_and_refused_writes_are_two_outages_each_logged_once() -> None:
    outage = RedisOutage()
    with capture_logs() as logged:
        for _ in range(3):
            outage.failed(ReadOnlyError("You can't write against a read only replica."))
            outage.answered()  # a read: it says nothing of writes
        outage.wrote()
        for _ in range(3):
            outage.failed(ConnectionError("refused"))
        outage.answered()
    assert [line["event"] for line in logged if line["log_level"] != "debug"] == [
        "waiting for Redis, which refuses writes",
        "writing again, Redis accepts writes",
        "waiting for Redis",
        "reached Redis again",
    ]
