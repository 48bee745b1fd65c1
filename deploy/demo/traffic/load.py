"""The load generator: sends card traffic to Kafka and counts what it sent.

    python -m deploy.demo.traffic.load --rate 500 --entities 5000         30 days of history, then live until Ctrl-C
    python -m deploy.demo.traffic.load --days 30 --entities 1000          a history of 30 days, as fast as it goes
    python -m deploy.demo.traffic.load --days 30 --rate 200 --seconds 60  the same, then live traffic for a minute
    python -m deploy.demo.traffic.load --data FILE.parquet                a file of transactions as history

It ends with one line of JSON on standard output: what was sent, to be compared with what arrived.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from deploy.demo.traffic.cards.card_traffic import CardTraffic
from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.handbook import World, simulate
from deploy.demo.traffic.cards.transactions import DAY_US, read_transactions
from deploy.demo.traffic.live_traffic import LiveTraffic
from deploy.demo.traffic.paced_producer import PacedProducer
from deploy.demo.traffic.records import Records
from streaming.operations.produce.sender import Durable

TERMINALS_PER_CUSTOMER = 2


def build_world(
    *,
    customers: int,
    terminals: int | None,
    days: int,
    seed: int,
    end_us: int,
    data: Path | None = None,
    keep_time: bool = False,
) -> World:
    """The history of a file, or a simulated one; moved by whole days to end less than a day before `end_us`."""
    if data is not None:
        world = World.of(read_transactions(data))
        transactions = world.transactions if keep_time else world.transactions.moved_to_end_before(end_us)
        return World(world.population, transactions, world.compromised_terminals, world.compromised_customers)
    return simulate(
        customers=customers,
        terminals=TERMINALS_PER_CUSTOMER * customers if terminals is None else terminals,
        days=days,
        start_us=end_us // DAY_US * DAY_US - days * DAY_US,
        seed=seed,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Send until all is sent, the time is over, or SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    world = build_world(
        customers=options.entities,
        terminals=options.terminals,
        days=options.days,
        seed=options.seed,
        end_us=time.time_ns() // 1000,
        data=options.data,
        keep_time=options.keep_time,
    )
    disturbances = Disturbances(options.late, options.duplicate, options.malformed)
    traffic = CardTraffic(world.transactions, disturbances, seed=options.seed)
    producer = PacedProducer(options.bootstrap_servers, _durable() if options.paced else None)
    began_s = time.monotonic()
    # Up to now, not to the last transaction: a label that became known since then keeps its own time of arrival.
    until_us = traffic.end_us if options.keep_time else time.time_ns() // 1000
    _send(producer, traffic.history(until_us), asked, total=traffic.records_until(until_us))
    if options.rate and not asked:
        live = LiveTraffic(world, options.rate, disturbances, rest=traffic, seed=options.seed)
        _send(producer, live.stream(lambda: bool(asked), options.seconds), asked)
    producer.flush()
    sent = {**asdict(traffic.truth), "records": traffic.truth.records, "seconds": round(time.monotonic() - began_s, 3)}
    print(json.dumps(sent))
    return 0


def _send(producer: PacedProducer, batches: Iterable[Records], asked: list[int], total: int | None = None) -> None:
    shown_s = 0.0
    for progress in producer.send(batches):
        if asked:
            return
        if sys.stderr.isatty() and time.monotonic() - shown_s > 0.2:
            of = "" if total is None else f" of {total:,}"
            waits = ", waiting for the sinks" if progress.waiting else ""
            print(
                f"\r{progress.records:,}{of} records, {progress.bytes / 1e6:,.0f} MB{waits}   ", end="", file=sys.stderr
            )
            shown_s = time.monotonic()


def _durable() -> Durable:
    # Loaded only where it is asked for: it needs Redis and the lake.
    from streaming.operations.status.positions import DurablePositions
    from streaming.settings import load_settings

    return DurablePositions(load_settings())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo.traffic.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--bootstrap-servers", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"))
    add("--entities", type=int, default=1_000, help="customers; there are twice as many terminals (default 1000)")
    add("--terminals", type=int, help="terminals, if not twice the customers")
    add("--days", type=int, default=30, help="days of history (default 30)")
    add("--data", type=Path, metavar="FILE", help="a Parquet file of transactions in place of the simulation")
    add(
        "--keep-time",
        action="store_true",
        help="send the file with its own times; default: moved to end today",
    )
    add("--rate", type=float, default=0.0, help="live transactions a second after the history (default none)")
    add("--seconds", type=float, default=float("inf"), help="how long live traffic continues (default until Ctrl-C)")
    add("--late", type=float, default=0.01, help="share of late transactions (default 0.01)")
    add("--duplicate", type=float, default=0.005, help="share that comes twice (default 0.005)")
    add("--malformed", type=float, default=0.001, help="share of malformed records beside them (default 0.001)")
    add("--seed", type=int, default=1, help="one seed, one history (default 1)")
    add("--paced", action="store_true", help="wait for the sinks, as the simulator's small log needs it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
