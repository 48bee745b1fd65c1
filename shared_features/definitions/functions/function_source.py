"""The source of a function as a syntax tree of what it computes: without docstrings, annotations and places.

The tree and not the bytecode, because each Python compiles in its own way. The tree and not the text, because comments,
line breaks, brackets and quotes compute nothing.
"""

from __future__ import annotations

import ast
import copy
import linecache
import symtable
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TypeAlias

from shared_features.errors import DefinitionError

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef)
_SAYS_NOTHING = ("annotation", "ctx", "kind", "returns", "type_comment", "type_params")


class SourceError(DefinitionError):
    """The source of a function cannot be had, or does not say what the function computes; the message says why."""


def function_node(function: FunctionType) -> FunctionNode:
    """The function's tree: a copy, stripped of its name, decorators and defaults, and of what computes nothing.

    Raises SourceError when the source cannot be found, or when the function keeps a state outside of itself.
    """
    code = function.__code__
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    found = [_stripped(node) for node in ast.walk(_parsed(text)) if _is_source_of(node, code)]
    if not found:
        raise SourceError("Its source cannot be found. Define it with `def` in a module that lies in a file.")
    if any(tree_of(each) != tree_of(found[0]) for each in found):
        raise SourceError("Several functions begin on its line. Define each with `def` on lines of its own.")
    for node in ast.walk(found[0]):
        if isinstance(node, ast.Global | ast.Nonlocal):
            raise SourceError(f"It changes {', '.join(node.names)} outside of itself. Return the value instead.")
        if isinstance(node, ast.Import | ast.ImportFrom):
            raise SourceError("It imports while it runs. Move the import to the top of its module.")
    return found[0]


def outside_names(node: FunctionNode) -> frozenset[str]:
    """The names that a function reads and does not bind itself: of its closure, its module, or built in."""
    text = ast.unparse(node if isinstance(node, ast.Lambda) else ast.Module([node], []))
    (table,) = symtable.symtable(text, "<definition>", "exec").get_children()
    return frozenset(_read_from_outside(table))


def tree_of(node: ast.AST) -> str:
    """A text of the tree that is equal for equal trees."""
    return ast.dump(node)


def parts_of(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The parts of a node by name, without the empty ones: a later Python knows parts that an earlier one lacks."""
    for name, part in ast.iter_fields(node):
        if name not in _SAYS_NOTHING and part is not None and part != []:
            yield name, part


@lru_cache(maxsize=32)
def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _is_source_of(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, _DEFINES):
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        return (node.name, first) == (code.co_name, code.co_firstlineno)
    if not isinstance(node, ast.Lambda) or code.co_name != "<lambda>":
        return False
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return node.lineno == code.co_firstlineno and names == list(code.co_varnames[: len(names)])


def _stripped(found: ast.AST) -> FunctionNode:
    """`def` and lambda alike: a function without a name."""
    node: FunctionNode = _WithoutSayings().visit(copy.deepcopy(found))
    node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)
    if not isinstance(node, ast.Lambda):
        node.name, node.decorator_list = "function", []
    return node


class _WithoutSayings(ast.NodeTransformer):
    """Drops annotations, docstrings and other statements that are a bare constant."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined]  # what held nothing but a docstring
        for name in _SAYS_NOTHING:
            if name in node._fields and name != "ctx":
                setattr(node, name, [] if name == "type_params" else None)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Python 3.12 splits the texts between the values of an f-string where 3.11 does not."""
        self.generic_visit(node)
        values: list[ast.expr] = []
        for each in node.values:
            last = values[-1] if values else None
            if isinstance(each, ast.Constant) and isinstance(last, ast.Constant):
                values[-1] = ast.Constant(str(last.value) + str(each.value))
            elif not isinstance(each, ast.Constant) or each.value:
                values.append(each)
        node.values = values
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))


def _read_from_outside(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read_from_outside(inner)
