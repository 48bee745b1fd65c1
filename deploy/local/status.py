"""`status`: where every part of a stack stands, for people or for machines. It asks the stores too, if they run."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec

from deploy.local.environment import find_definitions, stack_settings
from deploy.local.errors import LocalError
from deploy.local.lines import console, part_with_age
from deploy.local.processes import is_running
from deploy.local.stack_directory import Remembered, StackDirectory
from deploy.local.standing import Part, Standing
from shared_features.definitions import Catalogue, load_definitions
from shared_features.formats.model_manifest import CHAMPION
from shared_features.kernel.event_time import to_datetime
from streaming.operations.status.answer import Status, status_json
from streaming.operations.status.observer import StatusObserver
from streaming.settings import load_settings
from training.registry.aliases import Aliases
from training.registry.versions import Registry

_RUNS, _NOT_WELL = 0, 1
_ENDED: Any = {"state": "ended", "says": "does not run"}


def show_status(directory: StackDirectory, *, as_json: bool) -> int:
    """The exit code: 0 if the stack runs and no part failed, else 1. Raises LocalError where none was begun."""
    remembered = directory.remembered()
    if remembered is None:
        raise LocalError(f"There is no stack in {directory.path}. Start one with `up`, or give its --directory.")
    running = directory.supervisor() is not None
    standing = _true_now(directory.standing(), running)
    find_definitions(remembered.import_path)
    catalogue = load_definitions(remembered.definitions)
    seen = _observe(directory, remembered) if running and standing.phase in ("ready", "stopping") else None
    models = _models(directory, catalogue)
    if as_json:
        told = {
            "running": running,
            "definitions": remembered.definitions,
            **msgspec.to_builtins(standing),
            "models": models,
            "stream": None if seen is None else status_json(seen),
        }
        print(json.dumps(told))
    else:
        _print(directory, remembered, standing, running, seen, models)
    return _NOT_WELL if standing.failed or not running else _RUNS


def _true_now(standing: Standing | None, running: bool) -> Standing:
    """A supervisor that was killed could not write that its parts ended with it."""
    if standing is None:
        return Standing("starting" if running else "ended", 0)
    if running:
        return standing
    phase = standing.phase if standing.phase in ("ended", "failed") else "ended"
    parts = tuple(each if _lives(each) else msgspec.structs.replace(each, **_ENDED) for each in standing.parts)
    return msgspec.structs.replace(standing, phase=phase, parts=parts)


def _lives(part: Part) -> bool:
    return part.pid is not None and is_running(part.pid, part.started)


def _observe(directory: StackDirectory, remembered: Remembered) -> Status:
    mode = "embedded"  # what is asked here does not depend on it
    os.environ.update(stack_settings(directory, remembered, mode))
    return StatusObserver(load_settings()).observe()


def _models(directory: StackDirectory, catalogue: Catalogue) -> dict[str, int | None]:
    """View -> the version of its model that answers."""
    aliases = Aliases(Registry(directory.registry))
    return {name: aliases.of(name).get(CHAMPION) for name in sorted({view.name for view in catalogue.views})}


def _print(
    directory: StackDirectory,
    remembered: Remembered,
    standing: Standing,
    running: bool,
    seen: Status | None,
    models: dict[str, int | None],
) -> None:
    screen = console()
    since = f" since {to_datetime(standing.since_us):%Y-%m-%d %H:%M:%S} UTC" if standing.since_us else ""
    phase = standing.phase if running or standing.phase == "failed" else "down"
    screen.print(f"{directory.path}: {phase}{since}, definitions {remembered.definitions}", markup=False)
    for part in standing.parts:
        screen.print(part_with_age(part))
    if standing.error:
        screen.print(f"\n{standing.error}", markup=False)
    if seen is not None:
        screen.print()
        for line in stream_lines(seen):
            screen.print(line, markup=False)
    for name, version in models.items():
        screen.print(
            f"model of view {name}: {'none yet' if version is None else f'version {version} answers'}", markup=False
        )
    if not running:
        screen.print("`up` starts it again; the data are there.")


def stream_lines(seen: Status) -> list[str]:
    """Per source what came and how far behind each sink is; per group how fresh it is."""
    lines = [f"! {part}: {why}" for part, why in seen.away.items()]
    for source in seen.sources:
        lags = {sink: sum(each.lag(sink) or 0 for each in source.partitions) for sink in ("online", "archive")}
        behind = ", ".join(f"{sink} {lag:,} behind" for sink, lag in lags.items() if lag) or "no lag"
        dead = f", {source.dead_letters:,} dead letters" if source.dead_letters else ""
        late = f", {source.late:,} late" if source.late else ""
        lines.append(f"source {source.source}: {source.events or 0:,} events{late}{dead}; {behind}")
    for group in seen.groups:
        rows = ", ".join(f"{count or 0:,} feature rows on {spine}" for spine, count in group.feature_rows.items())
        fresh = "not live yet" if group.freshness_s is None else f"fresh to {group.freshness_s:.1f} s"
        lines.append(f"group {group.group}: {fresh}; {rows or 'no feature rows'}")
    return lines
