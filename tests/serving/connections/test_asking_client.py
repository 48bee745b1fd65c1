"""Who a client is, as the prediction log calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serving.connections.asking_client import AskingClient


@dataclass
class From:
    client: tuple[str, int]
    has_left: bool = False
    body_is_here: bool = False


def test_a_caller_is_the_name_of_its_key_or_else_where_it_comes_from() -> None:
    scope: dict[str, Any] = {}
    AskingClient(From(("10.0.0.1", 5)), 7.0).write_to(scope)
    assert AskingClient.of(scope).caller == "10.0.0.1"
    known = AskingClient.of(scope).with_key("shop")
    assert (known.caller, known.address, known.since_s) == ("shop", "10.0.0.1", 7.0)
    assert AskingClient.of({}).with_key("shop").caller == "shop"
    assert AskingClient.of({}).caller == ""
