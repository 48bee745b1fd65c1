"""`millrace VERB ...`: the one command. It hands each verb to the program that has it, and loads none itself."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Verb:
    """program: what `python -m` runs, with the arguments that come before the person's own."""

    name: str
    program: tuple[str, ...]
    help: str


_LOCAL, _STREAM, _TRAIN = ("deploy.local",), ("streaming",), ("training",)

GROUPS: dict[str, tuple[Verb, ...]] = {
    "on this machine": (
        Verb(
            "up", (*_LOCAL, "up"), "start Kafka, Redis, the stream job, training and the endpoint for your definitions"
        ),
        Verb("status", (*_LOCAL, "status"), "show where every part of it stands"),
        Verb("down", (*_LOCAL, "down"), "end all of it; the data stay"),
        Verb("demo", ("deploy.demo",), "see the whole path once, with generated card payments"),
    ),
    "definitions": (
        Verb("new", ("deploy.project", "new"), "write a package of definitions, proposed from a file or as an example"),
        Verb("catalogue", (*_STREAM, "catalogue"), "list sources, groups, features and views, and what reads them"),
        Verb(
            "check",
            (*_STREAM, "check"),
            "find what is unsafe or cannot work: definitions, a file, Kafka, Redis, the lake",
        ),
    ),
    "models": (
        Verb("train", (*_TRAIN, "run"), "build the dataset, fit, certify, publish"),
        Verb("dataset", (*_TRAIN, "dataset"), "build the training dataset only"),
        Verb("models", (*_TRAIN, "models"), "list what the registry holds"),
        Verb("promote", (*_TRAIN, "promote"), "let an alias name a version"),
        Verb("serve", ("serving",), "answer predictions over HTTP"),
        Verb(
            "predict", ("serving", "predict"), "ask a running endpoint; with --explain, where each feature comes from"
        ),
    ),
    "the stream job": (
        Verb("stream", _STREAM, "any verb of the stream job: run, status, version, ..."),
        Verb("produce", (*_STREAM, "produce"), "send the rows of a file as events, after a check of the first 10,000"),
        Verb("inspect", (*_STREAM, "inspect"), "show an entity's events and features, in Redis and in the lake"),
        Verb("bootstrap", (*_STREAM, "bootstrap"), "build what the online store lacks, then exit"),
        Verb("dead-letters", (*_STREAM, "dead-letters"), "list, show and replay records that are not events"),
        Verb("retain", (*_STREAM, "retain"), "delete old days of the events tables"),
        Verb("retire", (*_STREAM, "retire"), "remove a version of a feature group"),
        Verb("erase", (*_STREAM, "erase"), "erase an entity everywhere"),
    ),
}
"""The verbs by what a person wants."""

VERBS = {verb.name: verb for verbs in GROUPS.values() for verb in verbs}
_UNKNOWN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the program that has the verb. The exit code where there is none: 0 for help, else 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("help", "-h", "--help"):
        print(_help())
        return 0
    if given[0] == "--version":
        given[:1] = ["stream", "version"]
    name, *rest = given
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        print(f"millrace: There is no verb `{name}`.{meant} `millrace --help` lists the verbs.", file=sys.stderr)
        return _UNKNOWN
    return _become([sys.executable, "-P", "-m", *VERBS[name].program, *rest])


def _become(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execve(command[0], command, environment())


def environment() -> dict[str, str]:
    """That of a program: our packages first, then the user's PYTHONPATH, then the folder where the user stands.

    In this order no folder of the user's stands in for a package of ours, and definitions are found nevertheless.
    """
    theirs = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    path = dict.fromkeys([str(ROOT), *theirs, str(Path.cwd())])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _help() -> str:
    width = max(map(len, VERBS))
    lines = ["usage: millrace VERB ...", "", "From events to predictions. `millrace VERB --help` shows the options."]
    for title, verbs in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {verb.name:<{width}}  {verb.help}" for verb in verbs)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
