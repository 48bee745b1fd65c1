"""A scheduler whose steps do nothing but write down that they were done: `python -m ...fake_scheduler FILE`.

A pipeline, of whatever name, has the steps of PLAN. Its step `right` waits while there is a file FILE.hold.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from training.scheduler.engine import launched
from training.scheduler.workflow import durable_run
from training.settings import load_settings

PLAN = {"first": [], "left": ["first"], "right": ["first"], "both": ["left", "right"]}


class FakeProcess:
    def __init__(self, look: Any) -> None:
        pass

    def ask(self, request: dict[str, Any], limit_s: float) -> Any:
        name = request.get("name") or request["run"]
        with Path(sys.argv[1]).open("a") as file:
            file.write(f"{os.getpid()} {time.time()} {request.get('step', request['do'])} {name}\n")
        time.sleep(0.02)
        while request.get("step") == "right" and Path(f"{sys.argv[1]}.hold").exists():
            time.sleep(0.05)
        return (
            {}
            if request["do"] == "end"
            else PLAN
            if request["do"] == "plan"
            else {"done": "run", "reason": "", "seconds": 0.0, "line": ""}
            if "step" in request
            else str(name)
        )

    def __enter__(self) -> FakeProcess:
        return self

    def __exit__(self, *error: object) -> None:
        pass


if __name__ == "__main__":
    setattr(durable_run, "StepProcess", FakeProcess)  # noqa: B010  # replaced on purpose
    with launched(load_settings(), look_every_s=1.0):
        threading.Event().wait()
