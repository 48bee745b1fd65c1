"""`status`: where every part of a stack stands, for people or for machines. It loads little: the supervisor looks."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from deploy.local.commands.lines import Folded, console, instant_text, part_lines
from deploy.local.errors import LocalError
from deploy.local.stack.answer import Answer, ask, last_answer
from deploy.local.stack.processes import is_running
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Part, Standing
from streaming.operations.status.colours import BROKEN

_RUNS, _NOT_WELL = 0, 1
_ENDED: Any = {"state": "ended", "says": "does not run", "since_us": 0}
_NO_ANSWER = "! the supervisor runs and gives no answer about the stream; its log says what it does"


def show_status(directory: StackDirectory, *, as_json: bool) -> int:
    """The exit code: 0 if the stack runs and no part failed, else 1. Raises LocalError where none was begun."""
    remembered = begun(directory)
    running, standing = stands_now(directory)
    answer = ask(directory) if running and standing.phase == "ready" else None
    known = answer or last_answer(directory)
    models = {} if known is None else known.models
    trained = {} if known is None else known.trained
    if as_json:
        told = {
            "running": running,
            "definitions": remembered.definitions,
            **msgspec.to_builtins(standing),
            "models": models,
            "trained": trained,
            "stream": None if answer is None else answer.stream,
        }
        print(json.dumps(told))
    else:
        _print(directory, remembered, standing, running, answer, model_lines(models, trained, running))
    return _NOT_WELL if standing.failed or not running else _RUNS


def begun(directory: StackDirectory) -> Remembered:
    """What the directory remembers. Raises LocalError where no stack was begun."""
    remembered = directory.remembered()
    if remembered is None:
        raise LocalError(f"There is no stack in {directory.path}. Start one with `up`, or give its --directory.")
    return remembered


def stands_now(directory: StackDirectory) -> tuple[bool, Standing]:
    """Whether the supervisor runs, and where the parts stand."""
    running = directory.supervisor() is not None
    return running, _true_now(directory.standing(), running)


def _true_now(standing: Standing | None, running: bool) -> Standing:
    """A supervisor that was killed could not write that its parts ended with it, so nobody knows when."""
    if standing is None:
        return Standing("starting" if running else "ended", 0)
    if running:
        return standing
    parts = tuple(
        each if each.state == "ended" or _lives(each) else msgspec.structs.replace(each, **_ENDED)
        for each in standing.parts
    )
    if standing.phase in ("ended", "failed"):
        return msgspec.structs.replace(standing, parts=parts)
    return msgspec.structs.replace(standing, phase="ended", since_us=0, parts=parts)


def _lives(part: Part) -> bool:
    return part.pid is not None and is_running(part.pid, part.started)


def headline(directory: StackDirectory, remembered: Remembered, standing: Standing, running: bool) -> str:
    """The stack in one line."""
    since = f" since {instant_text(standing.since_us)}" if standing.since_us else ""
    phase = standing.phase if running or standing.phase == "failed" else "down"
    return f"{directory.path}: {phase}{since}, definitions {remembered.definitions}"


def model_lines(models: dict[str, int | None], trained: dict[str, str], running: bool = True) -> list[str]:
    """Which version of each view's model answers, or answered when that was last seen, and what it was trained on."""
    does = "answers" if running else "answered when this was last seen"
    said = {name: "none yet" if version is None else f"version {version} {does}" for name, version in models.items()}
    return [
        f"model of view {name}: {text}" + (f", {trained[name]}" if name in trained else "")
        for name, text in said.items()
    ]


def _print(
    directory: StackDirectory,
    remembered: Remembered,
    standing: Standing,
    running: bool,
    answer: Answer | None,
    models: list[str],
) -> None:
    screen = console()
    screen.print(Folded(headline(directory, remembered, standing, running)))
    part_lines(screen, standing.parts, with_date=True)
    if standing.error:
        screen.print(Folded(f"\n{standing.error}", BROKEN))
    if running and standing.phase == "ready":
        screen.print()
        for line in (_NO_ANSWER,) if answer is None else answer.lines:
            screen.print(Folded(line, BROKEN if line.startswith("!") else ""))
    for line in models:
        screen.print(Folded(line))
    if not running:
        screen.print("`up` starts it again; the data are there.")
