"""Whether the stream job and the endpoint of a stack are ready, asked without waiting."""

from __future__ import annotations

import http.client
import json

from redis import RedisError

from shared_features.definitions import Catalogue
from streaming.errors import RefusedError
from streaming.online_store.server import StoreServer
from streaming.settings import StreamingSettings

_ANSWER_S = 2.0


class OnlineStoreLook:
    """How many shards of the definitions' groups are live."""

    def __init__(self, settings: StreamingSettings, catalogue: Catalogue) -> None:
        self._store, self._groups = StoreServer(settings, within_s=_ANSWER_S), catalogue.groups

    def shards(self) -> tuple[int, int] | None:
        """Live shards, of so many. None while Redis gives no answer."""
        wanted = sum(group.shards for group in self._groups)
        try:
            metas = self._store.metas(self._groups)
        except (RedisError, RefusedError, OSError):
            return None
        return sum(meta is not None and not meta.behind for shards in metas.values() for meta in shards), wanted


def endpoint(port: int) -> tuple[bool, list[str]]:
    """Whether the endpoint answers at all, and what it waits for before it can predict."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        told = json.loads(response.read())
        missing = [str(each) for each in told.get("missing", ())] or [f"it answers with status {response.status}"]
        return True, [] if response.status == http.client.OK else missing
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False, []
    finally:
        connection.close()
