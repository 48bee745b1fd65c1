"""A POST of JSON to an address of the user's, which may be a secret."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

_LIMIT_S = 10.0


def post_json(url: str, body: Mapping[str, Any]) -> None:
    """Raises OSError for an answer other than 2xx, and where nobody answers in time."""
    headers = {"content-type": "application/json", "user-agent": "millrace"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=_LIMIT_S):
        pass
