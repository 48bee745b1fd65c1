"""The command line of the benchmarks: `python -m tests.bench [--only PATTERN] [--json FILE] [--data FILE]`."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import traceback
from pathlib import Path

from tests.bench.figures import Figure, print_table, write_json
from tests.bench.transactions import default_file

SUITES = {
    "kernel": "tests.bench.kernel",
    "windows": "tests.bench.windows",
    "online-read": "tests.bench.online_read",
    "request-stages": "tests.bench.request_stages",
    "request-size": "tests.bench.request_size",
    "bootstrap": "tests.bench.bootstrap",
    "restart": "tests.bench.restart",
    "joining": "tests.bench.joining",
    "idle": "tests.bench.idle",
    "aged": "tests.bench.aged",
    "streaming": "tests.bench.streaming",
    "predictions": "tests.bench.predictions",
    "serving-load": "tests.bench.serving_load",
    "batch": "tests.bench.batch",
    "dataset": "tests.bench.dataset",
    "history": "tests.bench.history",
    "audit": "tests.bench.audit",
    "retraining": "tests.bench.retraining",
    "handbook": "tests.bench.handbook",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="", help=f"suites by regular expression: {list(SUITES)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures as JSON")
    parser.add_argument("--data", metavar="FILE", type=Path, default=default_file(), help="transactions to run on")
    arguments = parser.parse_args()
    chosen = [name for name in SUITES if re.search(arguments.only, name)]
    if not chosen:
        parser.error(f"--only {arguments.only!r} matches none of {list(SUITES)}")
    figures: list[Figure] = []
    failed = []
    for name in chosen:
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        try:
            figures += importlib.import_module(SUITES[name]).measure(arguments.data)
        except Exception:  # one broken suite must not hide the figures of the others; the exit status says it
            traceback.print_exc()
            failed.append(name)
    print_table(figures)
    if arguments.json:
        write_json(figures, arguments.json)
    if failed:
        print(f"bench: FAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
