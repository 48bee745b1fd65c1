"""What a prediction waits for in a local stack, as the supervisor wrote it: `millrace predict` says so."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.commands.options import DIRECTORY
from deploy.local.errors import LocalError
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Standing

_HERE = ("127.0.0.1", "localhost", "::1")
_FIRST = ("kernel", "redis", "kafka", "stream job")
"""What must be there before a model can be trained."""


def stack_waits_for(url: str) -> str | None:
    """Why the endpoint at this address gives no prediction yet. None if it belongs to no stack that is known here."""
    address = urlsplit(url)
    if address.hostname not in _HERE:
        return None
    for directory in _directories():
        try:
            remembered, standing = directory.remembered(), directory.standing()
        except LocalError:  # of another release
            continue
        if remembered is None or remembered.serving_port is None:
            continue
        if remembered.serving_port != address.port:
            if said := _elsewhere(directory, remembered):
                return said
        elif directory.supervisor() is None:
            return f"the stack in {directory.path} does not run; `millrace up` starts it"
        elif standing is not None:
            return _waits_for(standing)
    return None


def _directories() -> list[StackDirectory]:
    """That of the shell's env.sh, then the one where the person stands."""
    registry = os.environ.get("MILLRACE_REGISTRY")
    paths = [Path(registry).parent] if registry else []
    return [StackDirectory(path) for path in dict.fromkeys(each.absolute() for each in [*paths, DIRECTORY])]


def _elsewhere(directory: StackDirectory, remembered: Remembered) -> str | None:
    """A stack that runs here, and that nothing in this shell names."""
    if "MILLRACE_SERVING_PORT" in os.environ or directory.supervisor() is None:
        return None
    return (
        f"the stack in {directory.path} answers at {remembered.serving_url}; run "
        f"`source {directory.environment_file}` first"
    )


def _waits_for(standing: Standing) -> str | None:
    for name in _FIRST:
        part = standing.part(name)
        if part is not None and part.state in ("starting", "waiting", "failed"):
            return f"{name}: {part.says}"
    training, serving = standing.part("training"), standing.part("serving")
    if training is not None and (training.state == "waiting" or training.pid is not None):
        return training.says
    return None if serving is None or serving.state == "up" else f"serving: {serving.says}"
