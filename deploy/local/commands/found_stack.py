"""The stack that a command is about, where the environment does not say which: of the folder, or the one that runs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local.commands.options import DIRECTORY
from deploy.local.errors import LocalError
from deploy.local.parts.environment import read_environment_file
from deploy.local.stack.running_stacks import noted_directories
from deploy.local.stack.stack_directory import StackDirectory

_SAYS_WHICH = (
    "MILLRACE_DEFINITIONS", "KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "MILLRACE_REDIS_NAMESPACE", "MILLRACE_LAKE",
    "MILLRACE_REGISTRY", "MILLRACE_SERVING_PORT", "MILLRACE_SETTINGS",
)  # fmt: skip
"""Settings that say which definitions, and where their data are. Where a person sets one, nothing else is meant."""


class FoundStack(NamedTuple):
    """settings: what its env.sh exports. import_path: folders with its definitions."""

    directory: StackDirectory
    definitions: str
    settings: Mapping[str, str]
    import_path: tuple[str, ...]

    def __str__(self) -> str:
        runs = "" if self.directory.supervisor() is not None else "; it does not run, `up` starts it"
        return f"the stack in {self.directory.path} (definitions {self.definitions}{runs})"


def find_stack(environment: Mapping[str, str], here: Path, *, only_below: bool = False) -> FoundStack | None:
    """The stack in `here`, running or not; else the only one that runs. None where the environment says another.

    only_below: among those that run in `here`, or in a folder of it: another one is somebody else's. So it is where
    `here` holds definitions.
    Raises LocalError where several run and the environment does not say which.
    """
    if StackDirectory(here / DIRECTORY).is_there:
        own = _stack(here / DIRECTORY)
        return None if own is None or _contradicts(environment, own) else own
    if says_which(environment):
        return None
    only_below = only_below or own_definitions(here) != []
    noted = [each for each in noted_directories() if not only_below or each.is_relative_to(here.resolve())]
    runs = [each for path in noted if (each := _running(path)) is not None]
    if len(runs) > 1:
        raise LocalError(
            f"{len(runs)} stacks run on this machine: {', '.join(_named(each) for each in runs)}. Say which one is "
            f"meant: `source {shlex.quote(str(runs[0].directory.environment_file))}`, or stand in the folder that "
            f"holds its {DIRECTORY}."
        )
    return runs[0] if runs else None


def own_definitions(here: Path) -> list[str]:
    """The modules of definitions in packages of this folder, as `new` writes them."""
    return [f"{file.parent.name}.features" for file in sorted(here.glob("*/features.py"))]


def says_which(environment: Mapping[str, str]) -> bool:
    """Whether the environment names definitions, or where data are."""
    return any(_given(environment, name) for name in _SAYS_WHICH)


def is_complete(environment: Mapping[str, str], stack: FoundStack) -> bool:
    """Whether the environment says all that the stack's env.sh says: then a person has read that file."""
    return all(_given(environment, name) for name in _SAYS_WHICH if name in stack.settings)


def _running(path: Path) -> FoundStack | None:
    try:
        return None if StackDirectory(path).supervisor() is None else _stack(path)
    except LocalError:  # of another release
        return None


def _stack(path: Path) -> FoundStack | None:
    """None before its servers have started for the first time."""
    directory = StackDirectory(path)
    remembered = directory.remembered()
    try:
        settings = read_environment_file(directory)
    except OSError:
        return None
    if remembered is None:
        return None
    return FoundStack(directory, remembered.definitions, settings, remembered.import_path)


def _contradicts(environment: Mapping[str, str], stack: FoundStack) -> bool:
    given = {name: _given(environment, name) for name in _SAYS_WHICH}
    return any(value and value != stack.settings.get(name) for name, value in given.items())


def _given(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(f"MILLRACE_{name}") or ""


def _named(stack: FoundStack) -> str:
    return f"{stack.directory.path} ({stack.definitions})"
