"""Runs the steps of a run, or says which of them would run, and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared_features.formats.training_run import StepResult
from training.errors import StepError
from training.progress import StepProgress, Tell
from training.steps.code_digest import Code, code_of
from training.steps.libraries import library_versions
from training.steps.plain_call import argument_parts, call_step
from training.steps.result_store import Digest, ResultStore
from training.steps.run_journal import StepEntry, add_step, journals, read_journal
from training.steps.step import Step, Target, Task, load_function
from training.steps.step_key import Parts, differences, key_of

RUN, SKIPPED, EFFECT, OPEN = "run", "skipped", "effect", "open"
_SAME = "same code, parameters and inputs"
_PICKLE = ".pickle"


@dataclass(frozen=True)
class Explanation:
    """What a run would do with a step: run it, skip it, do its effect, or leave it open until an earlier one ran."""

    step: str
    verdict: str
    reason: str


class StepRunner:
    """The steps of one run. run: its folder. facts: the values of all parameters that a step may declare."""

    def __init__(self, store: ResultStore, steps: Sequence[Step], run: Path, facts: Mapping[str, Any]) -> None:
        self._store, self._run, self._facts = store, run, facts
        self._steps = {step.name: step for step in steps}

    def perform(self, name: str, context: Any) -> StepEntry:
        """Do a step, unless its result exists; written into the run's journal. Doing a finished one is harmless."""
        step, began, progress = self._step(name), time.perf_counter(), StepProgress(self._run, name)
        try:
            inputs = self._inputs(step)
            make = self._effect if step.effect else self._result
            entry = make(step, inputs, context, progress)
        except OSError as error:
            raise StepError(
                f"step {name!r} stopped: {_reason(error)}. Finished steps are kept. Mend it, then start the run again."
            ) from error
        finally:
            progress.end()
        done = replace(entry, seconds=time.perf_counter() - began, ended_at_us=time.time_ns() // 1000)
        add_step(self._run, name, done)
        return done

    def target(self, name: str) -> Target | None:
        """Where the step is done."""
        return self._step(name).target

    def skip(self, name: str) -> StepEntry | None:
        """What `perform` does with a step whose result exists; None, with nothing done: the step has to be done."""
        step, began = self._step(name), time.perf_counter()
        if step.effect:
            return None
        parts = self._parts(step, _digests(step, self._inputs(step)))
        key = key_of(parts)
        result = self._store.claim(self._run / step.name, step.name, key)
        if result is None:
            return None
        entry = StepEntry(SKIPPED, result.line, time.perf_counter() - began, _SAME, key, dict(parts))
        add_step(self._run, name, entry)
        return entry

    def explain(self) -> Iterator[Explanation]:
        """What `perform` would do with each step now. Nothing is run or written."""
        results: dict[str, StepResult] = {}
        earlier = self._earlier()
        for step in self._steps.values():
            if step.effect:
                why = "always; the same model changes nothing" if step.arguments is None else "always"
                yield Explanation(step.name, EFFECT, why)
            elif waits := [need for need in step.needs if need not in results]:
                yield Explanation(step.name, OPEN, f"runs, unless {' and '.join(waits)} give equal results")
            else:
                parts = self._parts(step, _digests(step, results))
                found = self._store.find(step.name, key_of(parts))
                if found:
                    results[step.name] = found
                yield Explanation(
                    step.name, SKIPPED if found else RUN, _SAME if found else _why(earlier.get(step.name), parts)
                )

    def _step(self, name: str) -> Step:
        if name not in self._steps:
            raise StepError(f"step {name!r} is gone: the pipeline changed since the run began. Start a new run.")
        return self._steps[name]

    def _inputs(self, step: Step) -> dict[str, StepResult]:
        """The results of the steps it needs, as the run has them. Effects have none."""
        steps, found = read_journal(self._run).steps, dict[str, StepResult]()
        for need in step.needs:
            if self._steps[need].effect:
                continue
            key = steps[need].key if need in steps else None
            result = self._store.find(need, key) if key else None
            if result is None:
                why = "was removed, perhaps by an erasure" if key else "has not been made yet"
                raise StepError(f"step {step.name!r} needs the result of {need!r}, which {why}. Start the run again.")
            found[need] = result
        return found

    def _result(self, step: Step, inputs: Mapping[str, StepResult], context: Any, tell: Tell) -> StepEntry:
        made_from = _digests(step, inputs)
        parts = self._parts(step, made_from)
        key, reason = key_of(parts), _SAME
        result, done = self._store.claim(self._run / step.name, step.name, key), SKIPPED
        if result is None:
            reason, done = _why(self._earlier().get(step.name), parts), RUN
            result = self._make(step, key, made_from, inputs, context, tell)
        return StepEntry(done, result.line, 0, reason, key, dict(parts))

    def _make(
        self,
        step: Step,
        key: str,
        made_from: Mapping[str, str],
        inputs: Mapping[str, StepResult],
        context: Any,
        tell: Tell,
    ) -> StepResult:
        with self._store.begin(step.name, key, made_from) as folder:
            given = self._given(step, folder, made_from, inputs)
            line = call_step(step, Task(given, folder / step.name, context, tell))
            return self._store.commit(folder, step.name, key, made_from, line, self._measures(step))

    def _effect(self, step: Step, inputs: Mapping[str, StepResult], context: Any, tell: Tell) -> StepEntry:
        made_from, output = _digests(step, inputs), self._run / step.name
        with self._store.begin(step.name, "", made_from) as folder:
            given = self._given(step, folder, made_from, inputs)
            output.mkdir(exist_ok=True)
            return StepEntry(EFFECT, call_step(step, Task(given, output, context, tell)), 0, "always")

    def _given(self, step: Step, folder: Path, made_from: Mapping[str, str], inputs: Mapping[str, StepResult]) -> Path:
        """A folder with the declared inputs and nothing else, each as it was written."""
        files: dict[str, Path] = {}
        for need, result in inputs.items():
            names = [each.partition("/")[2] for each in made_from if each.startswith(f"{need}/")]
            measures = self._measures(self._steps[need])
            self._store.check(result, {name: measures.get(name) for name in names})
            files |= {f"{need}/{name}": self._store.folder(need, result.key) / name for name in names}
        for each in step.inputs:
            need, _, name = each.partition("/")
            if self._steps[need].effect:
                files[each] = self._run / need / name
                if not files[each].is_file():
                    raise StepError(f"step {step.name!r} takes {each!r}, which step {need!r} did not write.")
        return self._store.link_inputs(folder, files)

    def _measures(self, step: Step) -> dict[str, Digest]:
        return {name: load_function(where) for name, where in (step.digests or {}).items()}

    def _parts(self, step: Step, made_from: Mapping[str, str]) -> Parts:
        code = self._code(step)
        return {
            "step": step.name,
            "code": code.digest,
            "libraries": library_versions(code.libraries),
            "parameters": {name: self._facts[name] for name in step.parameters} | argument_parts(step),
            "inputs": dict(made_from),
        }

    def _code(self, step: Step) -> Code:
        """The code of a step. A pickle runs the code of the step that wrote it, so that code counts too."""
        writers = {each.partition("/")[0] for each in step.inputs if each.endswith((_PICKLE, "/*"))}
        try:
            return code_of([step.action, *(self._steps[each].action for each in sorted(writers))])
        except LookupError as error:
            raise StepError(
                f"step {step.name!r}: {error} whose source can be read. Define it by `def` at the top of a module."
            ) from error

    def _earlier(self) -> dict[str, Parts]:
        """The parts of each step's key in the newest other run of the same view that has them."""
        found: dict[str, Parts] = {}
        for run, journal in journals(self._run.parent):
            if run != self._run:
                for name, entry in journal.steps.items():
                    if entry.parts:
                        found.setdefault(name, entry.parts)
        return found


def _digests(step: Step, results: Mapping[str, StepResult]) -> dict[str, str]:
    """Each declared input with the digest of its content."""
    found: dict[str, str] = {}
    for each in step.inputs:
        need, _, name = each.partition("/")
        if need in results:
            files = results[need].files
            if name not in files and name != "*":
                raise StepError(
                    f"step {step.name!r} takes {each!r}, which step {need!r} did not write. It wrote "
                    f"{', '.join(files) or 'no file'}."
                )
            found |= {f"{need}/{file}": files[file][0] for file in (files if name == "*" else [name])}
    return found


def _why(before: Parts | None, now: Parts) -> str:
    if before is None:
        return "no earlier run has it"
    return "; ".join(differences(before, now)) or "its result is gone"


def _reason(error: OSError) -> str:
    """NumPy says how much of a file was written, and not why there is no more of it."""
    return str(error) if error.errno else f"a file was not written whole ({error}): the disk may be full"
