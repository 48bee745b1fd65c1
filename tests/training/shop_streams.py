"""The web shop's traffic as the archive would store it, and as requests: to compare training with serving."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.domains.web_shop import CLICKS, ORDER_RETURN, ORDERS, RETURNS
from tests.domains.web_shop_traffic import Record, WebShopTraffic
from tests.training.lake import EventRows, arrived


def shop_records(until_ms: int) -> list[Record]:
    return WebShopTraffic(until_ms, days=10, orders=700).records()


def shop_streams(records: list[Record]) -> dict[str, EventRows]:
    """Source name -> its events."""
    found = {}
    for source in (CLICKS, ORDERS, RETURNS):
        sent = [each for each in records if each.source == source.name]
        columns, valid = {}, {}
        for field in source.fields:
            wire: Any = field.type.wire
            kind = list[wire | None] if field.optional else list[wire]
            values = msgspec.convert([each.event.get(field.name) for each in sent], kind)
            column = field.column(values, len(values), values.__getitem__)
            columns[field.name] = column.steps
            if column.there is not None:
                valid[field.name] = column.there
        found[source.name] = arrived(source, columns, [each.arrival_ms * 1000 for each in sent], valid)
    return found


def shop_requests(records: list[Record], count: int) -> list[dict[str, Any]]:
    """Instances like the last orders, and one of a visitor whom nobody knows."""
    fields = [each.name for each in ORDER_RETURN.request_fields]
    orders = [each.event for each in records if each.source == ORDERS.name][-count + 1 :]
    stranger = {**orders[0], "visitor": "nobody", "product": "nothing"}
    return [{name: each[name] for name in fields if name in each} for each in (*orders, stranger)]
