"""The command `runs`: list the durable runs, show one, compare two, print the logs of one, export or import one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from training.errors import RequestError
from training.facts import Facts, compared_lines, shown, table_lines
from training.output_files import ARCHIVE, check_output
from training.scheduler.runs.run import Run
from training.scheduler.runs.run_export import export_run
from training.scheduler.runs.run_facts import compared, facts_of
from training.scheduler.runs.runs import Runs
from training.settings import TrainingSettings

_NAMES = {"list": (0, 0), "show": (1, 1), "compare": (2, 2), "logs": (1, 2), "export": (1, 1), "import": (1, 1)}
_WANTS = {
    "list": "no name",
    "show": "a run",
    "compare": "two runs",
    "logs": "a run, and perhaps a step",
    "export": "a run",
    "import": "a file",
}


def look_at_runs(settings: TrainingSettings, options: argparse.Namespace) -> int:
    least, most = _NAMES[options.verb]
    if not least <= len(options.names) <= most:
        raise RequestError(
            f"`runs {options.verb}` takes {_WANTS[options.verb]}; {len(options.names)} names were given."
        )
    with Runs(settings) as runs:
        if options.verb == "export":
            _export(settings, runs, options)
        else:
            _LOOKS[options.verb](runs, options)
    return 0


def show_run(run: Run) -> None:
    """One line."""
    given = " ".join(f"{name}={json.dumps(value)}" for name, value in run.parameters.items())
    _say(f"{run.asked_at[:19]}Z  {run.status:9}  {run.id}  {run.template} {given}  {run.error}".rstrip())


def _list(runs: Runs, options: argparse.Namespace) -> None:
    if options.json:
        _say(json.dumps([{"id": run.id, **_facts(runs, run)} for run in runs.listed()], indent=2))
        return
    for run in runs.listed():
        show_run(run)


def _one(runs: Runs, options: argparse.Namespace) -> None:
    run_id = options.names[0]
    facts, steps = _facts(runs, runs.show(run_id)), runs.steps(run_id)
    if options.json:
        _say(json.dumps({"id": run_id, **facts, "steps": [asdict(each) for each in steps]}, indent=2))
        return
    for section, found in facts.items():
        rows = [(name, shown(value)) for name, value in found.items() if shown(value)]
        _table(section, rows)
    took = [(each, "" if each.seconds is None else f"{each.seconds:.1f} s") for each in steps]
    _table("steps", [(each.name, each.state, seconds, each.reason, each.line) for each, seconds in took])


def _compare(runs: Runs, options: argparse.Namespace) -> None:
    first, second = (_facts(runs, runs.show(each)) for each in options.names)
    rows = compared(first, second)
    if options.json:
        _say(json.dumps([{**asdict(row), "difference": row.difference} for row in rows], indent=2))
        return
    for line in compared_lines(rows):
        _say(line)


def _logs(runs: Runs, options: argparse.Namespace) -> None:
    run_id, *steps = options.names
    for step in steps or [each.name for each in runs.steps(run_id)]:
        text = runs.log(run_id, step)
        if text and not steps:
            _say(f"== {step}")
        sys.stdout.write(text)
    sys.stdout.flush()


def _export(settings: TrainingSettings, runs: Runs, options: argparse.Namespace) -> None:
    run_id = options.names[0]
    if options.output is None:
        raise RequestError("`runs export` needs a file to write. Give it by -o, such as -o run.tar.gz.")
    check_output(options.output, ARCHIVE)
    written = export_run(settings, runs, run_id, options.output, data=not options.without_data)
    size = sum(size for _, size in written.files.values())
    _say(f"run {run_id} is in {options.output}: {len(written.files)} files, {size:,} bytes")


def _import(runs: Runs, options: argparse.Namespace) -> None:
    file = Path(options.names[0])
    try:
        with file.open("rb") as opened:
            _say(runs.imported.add(opened, str(file)))
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error}. Give a file that `runs export` wrote.") from error


def _facts(runs: Runs, run: Run) -> Facts:
    return facts_of(run, runs.summary(run), runs.report(run.id))


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    for line in table_lines(title, rows):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


_LOOKS = {"list": _list, "show": _one, "compare": _compare, "logs": _logs, "import": _import}
