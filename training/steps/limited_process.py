"""A process with limits of memory and time, in which one plain function is called."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from training.errors import StepError
from training.steps.step import Subprocess

_WORKER = "training.steps.limited_worker"


def call_limited(
    target: Subprocess, name: str, action: str, inputs: Path, output: Path, arguments: Mapping[str, Any]
) -> str:
    """What the function returns. Raises StepError where it fails, or takes more than the target gives it."""
    request = {
        "path": sys.path,
        "memory_mb": target.memory_mb,
        "call": pickle.dumps((name, action, inputs, output, dict(arguments))).hex(),
    }
    with tempfile.TemporaryFile() as answers:
        code = _run(target, name, json.dumps(request) + "\n", answers.fileno())
        answers.seek(0)
        text = answers.read()
    if not text:
        raise StepError(f"step {name!r} stopped: its process {_end(code)}{_hint(target)}. See its log.")
    answer = json.loads(text)
    if "error" in answer:
        cause = ConnectionError(answer["error"]) if answer["transient"] else None
        raise StepError(answer["error"] + (_hint(target) if answer["memory"] else "")) from cause
    return str(answer["line"])


def _run(target: Subprocess, name: str, request: str, answers: int) -> int:
    """The exit code. The process has a group of its own, so that what it starts ends with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", _WORKER], stdin=subprocess.PIPE, stdout=answers, text=True, start_new_session=True
    )
    try:
        with suppress(BrokenPipeError):  # its exit code says so too
            print(request, end="", file=process.stdin, flush=True)
        return process.wait(target.seconds)
    except subprocess.TimeoutExpired as error:
        raise StepError(
            f"step {name!r} took longer than the {target.seconds:g} s of its subprocess, so it was ended. Raise "
            "`seconds` of its target, or give it less to do."
        ) from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()


def _end(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _hint(target: Subprocess) -> str:
    return "" if target.memory_mb is None else f" (its limit is {target.memory_mb} MB: `memory_mb` of its target)"
