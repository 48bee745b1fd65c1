"""A scheduler that kills itself with SIGKILL at a named moment; its arguments are MOMENT STEP RUN.

MOMENT: `during` a step, or `after` it, when the step is done and DBOS does not know it yet. `never`: it ends with its
run.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

from shared_features.formats.training_run import NEW_PREFIX, RESULTS_FOLDER
from training.scheduler.engine import launched
from training.scheduler.workflow.run_states import ENDED
from training.scheduler.workflow.step_process import StepProcess
from training.settings import load_settings


def kill_in_the_middle(step: str) -> None:
    """Once the step has a folder to write into."""
    results = load_settings().training_runs / RESULTS_FOLDER
    while not list(results.glob(f"{NEW_PREFIX}*/{step}")):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


def main(moment: str, step: str, run_id: str) -> None:
    ask = StepProcess.ask

    def killed(self: StepProcess, request: dict[str, Any], limit_s: float) -> Any:
        here = request.get("step", request["do"]) == step
        if here and moment == "during":
            threading.Thread(target=kill_in_the_middle, args=(step,), daemon=True).start()
        answer = ask(self, request, limit_s)
        if here and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(StepProcess, "ask", killed)  # noqa: B010  # a method is replaced on purpose
    with launched(load_settings()) as runs:
        while runs.status(run_id) not in ENDED:
            time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
