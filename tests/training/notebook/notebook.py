"""A notebook without its browser: cells are run one after another, and the last expression of each is shown."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any


class Notebook:
    """Cells share their names. `shown`: what the last cell would have shown, as text and as HTML."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, cell: str) -> Any:
        """The value of the cell's last expression; None where it ends in a statement."""
        tree = ast.parse(cell)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), self.names)  # as a kernel does
        if not isinstance(last, ast.Expr):
            return None
        return eval(compile(ast.Expression(last.value), "cell", "eval"), self.names)  # as a kernel does


def shown(value: Any) -> Sequence[str]:
    """What a notebook shows of a value: its text, and its HTML where it has any."""
    html = getattr(value, "_repr_html_", None)
    return [repr(value), *([html()] if html else [])]
