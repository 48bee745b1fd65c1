"""What the supervisor answers when `status` asks it: the stream and the models, looked at by who has all loaded.

So `status` itself loads neither the definitions nor the clients of Kafka, Redis and the lake.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from deploy.local.errors import LocalError
from deploy.local.stack.stack_directory import StackDirectory

_WITHIN_S, _LOOK_EVERY_S = 20.0, 0.05


class Answer(msgspec.Struct, frozen=True):
    """asked: the question that it answers. models: view -> the version that answers. lines, stream: for people, for
    machines. trained: view -> what that version was trained on.
    """

    asked: str
    models: dict[str, int | None]
    lines: tuple[str, ...]
    stream: dict[str, Any]
    trained: dict[str, str] = {}


def ask(directory: StackDirectory) -> Answer | None:
    """The supervisor's answer of now. None if it gives none in time."""
    asked = directory.ask()
    deadline_s = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline_s and directory.supervisor() is not None:
        answer = last_answer(directory)
        if answer is not None and answer.asked == asked:
            return answer
        time.sleep(_LOOK_EVERY_S)
    return None


def last_answer(directory: StackDirectory) -> Answer | None:
    """What was answered last, maybe long ago."""
    try:
        return directory.answered(Answer)
    except LocalError:  # of another release
        return None
