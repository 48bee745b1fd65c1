"""`./run chaos`: seeds, one after another, on one ground; what struck, what held, how long it took."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Ground
from tests.chaos.schedule import brokers_of
from tests.chaos.seed_run import Outcome, run_seed

ROOT = Path(__file__).parents[2]
FIRST_SEED = "CHAOS_FIRST_SEED"


def main() -> int:
    """0 when every seed passed, 1 when one failed, 3 when the machine lacks what it takes."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="how many (default 10)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no further seed after so many minutes")
    parser.add_argument("--replay", type=int, metavar="SEED", help="this seed alone")
    parser.add_argument("--only", action="append", default=[], choices=sorted(FAULTS), help="draw from these faults")
    parser.add_argument("--without", action="append", default=[], choices=sorted(FAULTS), help="do not draw this one")
    parser.add_argument("--predictions", type=int, default=0, metavar="N", help="made and audited in each seed (none)")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "chaos", help="data and logs (default var/chaos)")
    parser.add_argument("--keep", action="store_true", help="keep the folders of seeds that passed, too")
    options = parser.parse_args()
    folder = options.folder.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # in order: nothing stays mounted
    if missing := ApacheKafka.missing():
        print(f"!!!!!!!! NOT TESTED: Apache Kafka: {' '.join(missing)}")
        return 3
    first = options.replay if options.replay is not None else int(os.environ.get(FIRST_SEED, "1"))
    seeds = range(first, first + (1 if options.replay is not None else options.seeds))
    only = [kind for kind in options.only or sorted(FAULTS) if kind not in options.without]
    only = only if options.only or options.without else []
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with ExitStack() as opened:
        grounds: dict[int, Ground] = {}
        for seed in seeds:
            if options.minutes is not None and time.monotonic() - began > options.minutes * 60:
                print(f"{options.minutes:g} minutes are over: seeds from {seed} on were not begun")
                break
            size = brokers_of(seed, only)
            if size not in grounds:
                grounds[size] = opened.enter_context(Ground(folder / f"ground{size}", print, size))
                print(f"servers are up after {time.monotonic() - began:.1f} s ({size} brokers)", flush=True)
            outcomes.append(
                run_seed(seed, grounds[size], folder / f"seed{seed}", only=only, predictions=options.predictions)
            )
            show(outcomes[-1], sys.argv[1:], keep=options.keep)
    return sum_up(outcomes, time.monotonic() - began)


def show(outcome: Outcome, arguments: list[str], *, keep: bool) -> None:
    """A line of a seed that passed; of one that failed all that helps."""
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in outcome.seconds.items())
    kinds = " ".join(each.fault.kind for each in outcome.plan)
    word = "passed" if outcome.error is None else "FAILED"
    print(f"seed {outcome.seed} {word} in {outcome.took_s:.1f} s ({phases}): {kinds}", flush=True)
    if outcome.error is None:
        if not keep:
            for path in sorted(outcome.folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            outcome.folder.rmdir()
        return
    print(outcome.error)
    print((outcome.folder / "schedule.log").read_text() if outcome.folder.exists() else "")
    print(f"  its logs, lake and Redis: {outcome.folder}")
    # What else was asked for decides what the seed draws; the last of two is meant.
    print(f"  again: ./run chaos {' '.join(arguments)} --replay {outcome.seed}", flush=True)


def sum_up(outcomes: list[Outcome], seconds: float) -> int:
    faults = Counter(each.fault.kind for outcome in outcomes for each in outcome.plan)
    checked: Counter[str] = sum((outcome.checked for outcome in outcomes), Counter())
    failed = [outcome.seed for outcome in outcomes if outcome.error is not None]
    print(f"\nfaults: {sum(faults.values())}")
    for kind in sorted(FAULTS):
        print(f"  {faults[kind]:5}  {kind}")
    print("compared: " + ", ".join(f"{count:,} {what}" for what, count in sorted(checked.items())))
    took = sorted(outcome.took_s for outcome in outcomes) or [0.0]
    print(f"seeds: {len(outcomes) - len(failed)} passed, {len(failed)} failed{f' {failed}' if failed else ''}")
    print(f"seconds: {seconds:.0f} in all, a seed {took[len(took) // 2]:.1f} (median), {took[-1]:.1f} (longest)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
