"""Traffic of the web shop: weeks of clicks, orders and notices of returns, as a seed makes them.

`python -m tests.domains.web_shop_traffic FOLDER` writes them as JSON lines: one file per source, up to now.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.domains.web_shop import CLICKS, ORDERS, RETURNS

DAY_MS = 86_400_000
MINUTE_MS = 60_000
CATEGORIES = ("shoes", "clothes", "books", "garden")
_OFTEN_RETURNED = {"shoes": 0.55, "clothes": 0.4, "books": 0.03, "garden": 0.1}
_CAMPAIGNS = ("newsletter", "search", "söcial", None)


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a source, as a producer sends it; `arrival_ms`: when the broker has it."""

    source: str
    topic: str
    arrival_ms: int
    event: dict[str, Any]

    @property
    def key(self) -> bytes:
        return str(self.event.get("visitor", self.event.get("order"))).encode()

    @property
    def value(self) -> bytes:
        return json.dumps(self.event, ensure_ascii=False).encode()


@dataclass
class WebShopTraffic:
    """`orders` orders over `days` days up to `until_ms`, each after a few clicks, each with a notice two days later."""

    until_ms: int
    days: int = 21
    orders: int = 2_000
    seed: int = 7
    _sent: list[Record] = field(default_factory=list)

    def records(self) -> list[Record]:
        """By arrival. No event is later than `until_ms`."""
        self._sent.clear()
        chance = random.Random(self.seed)
        step_ms = self.days * DAY_MS // self.orders
        for number in range(self.orders):
            self._order(number, self.until_ms - (self.orders - number) * step_ms + chance.randrange(step_ms), chance)
        inside = [each for each in self._sent if each.arrival_ms <= self.until_ms]
        return sorted(inside, key=lambda each: each.arrival_ms)

    def _order(self, number: int, at_ms: int, chance: random.Random) -> None:
        visitor = chance.choice([f"v{chance.randrange(self.orders // 20 + 1)}", "zoë", "a|b"])
        category = chance.choice(CATEGORIES)
        product = f"{category} {chance.randrange(8)}"
        campaign = chance.choice(_CAMPAIGNS)
        for click in range(chance.randrange(4)):
            self._click(
                f"c{number}.{click}", at_ms - chance.randrange(1, 25) * MINUTE_MS, visitor, product, campaign, chance
            )
        order: dict[str, Any] = {
            "order": f"o{number}",
            "at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "visitor": visitor,
            "product": product,
            "category": category,
            "price": round(chance.lognormvariate(3.5, 0.8), 2),
            "quantity": chance.choice([1, 1, 1, 2, 5]),
            "gift": chance.random() < 0.1,
        }
        if chance.random() < 0.5:
            order["coupon"] = chance.choice(["SPRING", "söle", None])
        self._send(ORDERS.name, ORDERS.topic, at_ms, order, chance)
        likely = _OFTEN_RETURNED[category] * (1.5 if order["quantity"] != 1 else 1.0)
        self._notice(number, at_ms + 2 * DAY_MS, order, chance.random() < likely, chance)

    def _click(
        self, click: str, at_ms: int, visitor: str, product: str, campaign: str | None, chance: random.Random
    ) -> None:
        event: dict[str, Any] = {"click": click, "at": at_ms, "visitor": visitor, "campaign": campaign}
        event["page"] = chance.choice(["home", "search", "product", "basket"])
        if event["page"] in ("product", "basket"):
            event |= {"product": product, "looked": round(chance.expovariate(1 / 40), 1)}
        self._send(CLICKS.name, CLICKS.topic, at_ms, event, chance)

    def _notice(self, number: int, at_ms: int, order: dict[str, Any], returned: bool, chance: random.Random) -> None:
        """What became known of an order. One in thirty is wrong at first, and corrected by another notice."""
        notice = {"notice": f"n{number}", "at": at_ms, "order": order["order"], "product": order["product"]}
        why = {"why": chance.choice(["too small", "broken"])} if returned else {}
        if chance.random() < 1 / 30:
            self._send(RETURNS.name, RETURNS.topic, at_ms, {**notice, "returned": not returned}, chance)
            notice |= {"notice": f"n{number}.2", "at": at_ms + MINUTE_MS}
        self._send(RETURNS.name, RETURNS.topic, notice["at"], {**notice, "returned": returned, **why}, chance)

    def _send(self, source: str, topic: str, at_ms: int, event: dict[str, Any], chance: random.Random) -> None:
        """Most arrive at once, some late, a few twice."""
        arrival_ms = at_ms + chance.choice([0, 5, 40, 300, 900, 60_000 if chance.random() < 0.1 else 20])
        record = Record(source, topic, arrival_ms, event)
        self._sent += [record] * (2 if chance.random() < 0.02 else 1)


def lines_by_source(records: list[Record]) -> Iterator[tuple[str, str]]:
    """(source, its events as JSON lines, by arrival), each with its arrival time under `arrived_at`."""
    for source in (CLICKS.name, ORDERS.name, RETURNS.name):
        of_source = [each for each in records if each.source == source]
        events = ({**each.event, "arrived_at": each.arrival_ms} for each in of_source)
        yield source, "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.domains.web_shop_traffic", description=__doc__)
    parser.add_argument("folder", type=Path, help="where clicks.jsonl, orders.jsonl and returns.jsonl are written")
    parser.add_argument("--days", type=int, default=21, help="how many days up to now (default 21)")
    parser.add_argument("--orders", type=int, default=2_000, help="how many orders (default 2000)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    traffic = WebShopTraffic(time.time_ns() // 1_000_000, options.days, options.orders)
    for source, lines in lines_by_source(traffic.records()):
        path = options.folder / f"{source}.jsonl"
        path.write_text(lines, encoding="utf-8")
        sys.stdout.write(f"{path}: {lines.count(chr(10))} events\n")


if __name__ == "__main__":
    main()
