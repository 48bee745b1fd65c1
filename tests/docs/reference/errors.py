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

Every message of an error says what is wrong, what was found, and what to do.

## Exit codes

"""
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
