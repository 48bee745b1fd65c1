"""The lake that an online store is built beside: an id in a file of the lake, and the same one in Redis.

A lake that is not mounted looks like one that is new: the archive would begin it anew, with gaps for all that Kafka no
longer has, and every shard would be rebuilt without its history.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from streaming.online_store.link import RedisLink

MARK = ".lake-id"


def another_lake(link: RedisLink, namespace: str, lake: Path) -> str | None:
    """What to tell where the lake is not the one that this namespace of Redis belongs to; None where it is.

    A namespace without a lake, as at the first start or after Redis was emptied, takes the one there is.
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
        f"the lake at {lake} is not the one that this online store was built beside: mount that one; or, if it is lost "
        f"for good, give the job another MILLRACE_REDIS_NAMESPACE, or delete the key {key}"
    )


def _marked(lake: Path) -> str:
    lake.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (lake / MARK).open("x") as file:
        file.write(secrets.token_hex(16))
    return (lake / MARK).read_text()
