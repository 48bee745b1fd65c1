"""The lake that belongs to an online store: an id in a file of the lake, and the same id in Redis.

A lake that is not mounted looks like a new one. The archive would start a new lake, with gaps for everything that Kafka
no longer has, and every shard would be rebuilt without its history.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from streaming.online_store.link import RedisLink

MARK = ".lake-id"


def another_lake(link: RedisLink, namespace: str, lake: Path) -> str | None:
    """The message if the lake does not belong to this namespace of Redis; None if it does.

    A namespace without a lake (at the first start, or after Redis was emptied) takes this lake.
    """
    key = f"{namespace}:lake"
    stored = link.call("GET", key)
    if stored is None:
        link.call("SET", key, _marked(lake), "NX")
        stored = link.call("GET", key)
    here = (lake / MARK).read_text() if (lake / MARK).exists() else None
    if stored is None or here == stored.decode():
        return None
    return (
        f"the lake at {lake} does not belong to this online store. Mount the right lake. If that lake is lost for "
        f"good, give the job another MILLRACE_REDIS_NAMESPACE, or delete the key {key}"
    )


def _marked(lake: Path) -> str:
    lake.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (lake / MARK).open("x") as file:
        file.write(secrets.token_hex(16))
    return (lake / MARK).read_text()
