"""The page of errors and exit codes, from the classes and constants of each `errors.py`."""

from __future__ import annotations

import ast
import importlib
import inspect
from itertools import pairwise
from types import ModuleType

from tests.docs.reference.table import code, one_line, table

PACKAGES = ("shared_features", "streaming", "training", "serving")
HEAD = """\
# Errors and exit codes

Every message of an error says what is wrong, what was found, and what to do. Every error is a `MillraceError`: a
program that embeds Millrace can catch this one class.

## Exit codes

"""
_OF_EACH_VERB = """
### Of each verb

A verb of `millrace`, or of `./run`. Every verb: 2 for a wrong option, 141 if nobody reads its output any more. Those
that look for a stack: 1 if several run and nothing says which one is meant.

"""
_VERBS = (
    ("`new`", "The package is written.", "Nothing is written.", ""),
    ("`up`", "Everything is up (`--detach`), or it was asked to end.", "It could not start, or a part failed, or the "
     "stack runs and the next `up` would refuse an edit.", "128 + the number of the signal: 130 after Ctrl-C."),
    ("`status`", "The stack runs, and no part failed.", "It does not run, was never begun, or a part failed.", ""),
    ("`down`", "Everything ended, or nothing ran.", "No stack was begun there.", ""),
    ("`predict`", "The answer is printed.", "The endpoint is unavailable, or refuses.",
     "2: JSON that cannot be read, a wrong setting."),
    ("`check`, `check-definitions`", "Nothing must be corrected; there may be warnings.",
     "Something must be corrected or could not be checked, or a row of `--data` would be a dead letter.", ""),
    ("`produce`", "All rows are sent. `--check-only`: every row that was tried is an event.",
     "Refused, or Kafka is unavailable. `--check-only`: a row would be a dead letter.", ""),
    ("`inspect`", "Redis and the lake agree, or the reason of a difference is known.",
     "A feature differs without a known reason.", ""),
    ("`stream history`", "The values are exact.", "The lake lacks events of that time: the output says which.", ""),
    ("`stream status`", "Always, also where a part is unavailable: the output names it.", "A setting is wrong.", ""),
    ("`dead-letters`, `retain`, `retire`, `erase`", "Done, or shown what would be done.",
     "Refused, or to be run again: the output says why.", ""),
    ("`train`, `dataset`, `promote`, `models`, `batch-predict`", "Done.", "Refused.", ""),
    ("`registry`", "Done. `verify`: every version is as it was published.", "Refused. `verify`: something is not.", ""),
)  # fmt: skip
_OTHERS = (
    ("2", "all", "A wrong option. For `python -m serving` also a wrong setting or definition."),
    ("130", "`python -m streaming`", "Interrupted by Ctrl-C."),
)


def page() -> str:
    rows = [(str(value), "`python -m streaming`", meaning) for value, meaning in _constants("streaming.errors")]
    rows += [("0", "`python -m training`, `python -m serving`", "Done. The endpoint: stopped after it had drained.")]
    rows += [("1", "`python -m training`", "Refused; one sentence on standard error says why.")]
    rows += [(str(value), "all", meaning) for value, meaning in _constants("shared_features.closed_pipe")]
    text = HEAD + table(("code", "program", "meaning"), sorted([*rows, *_OTHERS], key=lambda row: int(str(row[0]))))
    text += _OF_EACH_VERB + table(("verb", "0", "1", "other"), _VERBS)
    for package in PACKAGES:
        module = importlib.import_module(f"{package}.errors")
        text += f"\n## Errors of {package}\n\n{table(('error', 'is a', 'meaning'), _errors(module))}"
    return text + "\nHow the endpoint answers each of its errors: [problems](endpoint.md#problems).\n"


def _errors(module: ModuleType) -> list[tuple[str, str, str]]:
    classes = [each for each in vars(module).values() if inspect.isclass(each) and issubclass(each, Exception)]
    own = [each for each in classes if each.__module__ == module.__name__]
    return [(code(each.__name__), code(each.__mro__[1].__name__), one_line(each.__doc__)) for each in own]


def _constants(name: str) -> list[tuple[int, str]]:
    """(value, what its docstring says) of each `EXIT_...` of a module."""
    module = importlib.import_module(name)
    body = ast.parse(inspect.getsource(module)).body
    found = []
    for node, after in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(after, ast.Expr):
            constant = node.targets[0].id
            if constant.startswith("EXIT_") and isinstance(after.value, ast.Constant):
                found.append((int(getattr(module, constant)), one_line(str(after.value.value))))
    return found
