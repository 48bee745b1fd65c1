"""`millrace VERB ...`: the one command. It hands each verb to the program that has it, and loads none itself.

A verb about definitions is handed the settings of the stack that is meant, where the environment does not say which.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from deploy.local.commands.found_stack import FoundStack

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
        Verb(
            "check-definitions",
            (*_STREAM, "check", "--definitions-only"),
            "the same of definitions and files alone: no server is asked",
        ),
    ),
    "models": (
        Verb("train", (*_TRAIN, "run"), "build the dataset, fit, certify, publish"),
        Verb("dataset", (*_TRAIN, "dataset"), "build the training dataset only"),
        Verb("models", (*_TRAIN, "models"), "list what the registry holds"),
        Verb("promote", (*_TRAIN, "promote"), "let an alias name a version"),
        Verb("registry", (*_TRAIN, "registry"), "show, compare, verify, roll back and delete versions; who did what"),
        Verb(
            "batch-predict",
            (*_TRAIN, "predict"),
            "predict many rows: those of a file or of a span of time",
        ),
        Verb("serve", ("serving",), "answer predictions over HTTP"),
        Verb("keys", ("serving", "keys"), "make, list and withdraw API keys: who may ask the endpoint and the runs"),
        Verb("predict", (*_LOCAL, "predict"), "ask a running endpoint; with --explain, where each feature comes from"),
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
_EXEC = "exec"
_TESTS = ("pytest", "tests.", "tests/")
"""What bring settings of their own, and must not touch the data of a stack."""
_UNKNOWN, _REFUSED = 2, 1
_NOT_FOUND, _NOT_RUN = 127, 126
"""As shells say it."""
_NEEDS_NO_STACK = ("new", "up", "down", "status", "demo", "serve", "bootstrap", "keys")
"""Verbs that say which stack they are about, and those that are a part of one."""
_NEEDS_NO_DEFINITIONS = ("predict", "models", "registry", _EXEC)
_COMPARE = ("check", "check-definitions")
"""Verbs that compare the definitions with those that the stack was last up with."""
_SAYS_ALL = ("-h", "--help", "--definitions", "--url")
"""Options that leave nothing to be found."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the program that has the verb. The exit code where there is none: 0 for help, else 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("help", "-h", "--help"):
        print(_help())
        return 0
    if given[0] == "--version":
        given[:1] = ["stream", "version"]
    name, *rest = given
    if name == _EXEC and rest:
        return _execute(rest)
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        print(f"millrace: There is no verb `{name}`.{meant} `millrace --help` lists the verbs.", file=sys.stderr)
        return _UNKNOWN
    stack = None
    if _is_about_a_stack(name, rest):
        from deploy.local.errors import LocalError  # only for these verbs: the others do not wait for it

        try:
            stack = _meant_stack(name)
        except LocalError as error:
            print(f"millrace {name}: {error}", file=sys.stderr)
            return _REFUSED
    if stack is not None and name in _COMPARE:
        rest.append(f"--kept-definitions={stack.directory.definitions_file}")
    return _become([sys.executable, "-P", "-m", *VERBS[name].program, *rest], stack)


def _execute(command: list[str]) -> int:
    """`./run exec`: become any command, with the settings of the stack that runs. The exit code where there is none."""
    from deploy.local.errors import LocalError

    stack = None
    try:
        if not any(word.startswith(_TESTS) for word in command):
            stack = _meant_stack(_EXEC)
    except LocalError as error:
        print(f"millrace exec: no settings are added. {error}", file=sys.stderr)
    try:
        os.execvpe(command[0], command, os.environ if stack is None else environment(stack))
    except OSError as error:
        print(f"millrace exec: {command[0]} cannot be run: {error.strerror}. Correct its name.", file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN


def _is_about_a_stack(name: str, rest: Sequence[str]) -> bool:
    own = name == "stream" and rest[:1] in ([], ["run"], ["bootstrap"], ["version"])  # of a job of the person's own
    options = {each.partition("=")[0] for each in rest}
    return name not in _NEEDS_NO_STACK and not own and not options & {*_SAYS_ALL}


def _meant_stack(verb: str) -> FoundStack | None:
    """The stack that a verb is about, and one line that says so. Raises LocalError where several may be meant."""
    from deploy.local.commands.found_stack import find_stack, is_complete, says_which

    stack = find_stack(os.environ, Path.cwd(), only_below=verb == _EXEC)
    if verb == _EXEC and stack is not None and stack.directory.supervisor() is None:
        return None  # a command may be about anything: no word of a stack that does not run, or elsewhere
    if stack is not None and not is_complete(os.environ, stack):
        print(f"millrace {verb}: using {stack}", file=sys.stderr)
    if stack is None and not says_which(os.environ) and verb not in _NEEDS_NO_DEFINITIONS:
        print(f"millrace {verb}: {_of_the_demo(Path.cwd())}", file=sys.stderr)
    return stack


def _of_the_demo(here: Path) -> str:
    """Whose definitions are used where nothing says it, and how to name others."""
    from deploy.local.commands.found_stack import own_definitions

    modules = own_definitions(here)
    yours = modules[0] if len(modules) == 1 else "my_shop.features"
    return (
        "no stack was started here, and MILLRACE_DEFINITIONS is not set. So this is about the "
        f"cards of the demo. For definitions of yours: export MILLRACE_DEFINITIONS={yours}"
    )


def _become(command: list[str], stack: FoundStack | None) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment(stack))


def environment(stack: FoundStack | None = None) -> dict[str, str]:
    """That of a program: our packages first, then the user's PYTHONPATH, then the folder where the user stands.

    In this order no folder of the user's stands in for a package of ours, and definitions are found nevertheless.
    stack: what its env.sh exports is set, where the user's environment does not set it.
    """
    theirs = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    settings: Mapping[str, str] = {} if stack is None else stack.settings
    own = {name: value for name, value in os.environ.items() if value or name not in settings}
    path = dict.fromkeys([str(ROOT), *theirs, *(() if stack is None else stack.import_path), str(Path.cwd())])
    return {**settings, **own, "PYTHONPATH": os.pathsep.join(path)}


def _help() -> str:
    width = max(map(len, VERBS))
    lines = ["usage: millrace VERB ...", "", "From events to predictions. `millrace VERB --help` shows the options."]
    for title, verbs in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {verb.name:<{width}}  {verb.help}" for verb in verbs)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
