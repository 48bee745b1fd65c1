"""The digest of a function's code: its source and that of everything of ours that it reaches, to any depth.

Sources are read and never imported, so that a step that is skipped costs no import. A function reaches what its body
and its annotations name: functions, classes, constants. Comments, docstrings and layout do not count. Libraries that
are installed count by their versions. What is found at run time only (`getattr` by a computed name) is not seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

OWN_PACKAGES = ("shared_features", "training")
_INSTALLED = ("site-packages", "dist-packages")
_SEEN = (ast.Name, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Code:
    """digest: of the reached sources. libraries: top-level names of the foreign modules that they import."""

    digest: str
    libraries: frozenset[str]


def code_of(functions: Iterable[str]) -> Code:
    """The code behind functions, each as `module:function`. Raises LookupError where there is no such function."""
    reached = _Reached()
    for where in functions:
        module, _, name = where.partition(":")
        reached.own.add(module.partition(".")[0])
        if _source(module) is None or name not in _bindings(module):
            raise LookupError(f"there is no function {where}")
        reached.visit(module, name)
    text = "\n".join(f"{module}:{name} {text}" for (module, name), text in sorted(reached.texts.items()))
    return Code(hashlib.sha256(text.encode()).hexdigest(), frozenset(reached.foreign - sys.stdlib_module_names))


@dataclass(frozen=True)
class _Import:
    """`import module`, or `from module import name`."""

    module: str
    name: str | None


@dataclass(frozen=True)
class _Definition:
    """What binds a name at the top of a module: its text, names of the same module in it, and what it imports."""

    text: str
    names: tuple[str, ...]
    imports: tuple[_Import, ...]


@dataclass
class _Reached:
    own: set[str] = field(default_factory=lambda: set(OWN_PACKAGES))
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    def visit(self, module: str, name: str) -> None:
        """Add the definition of a name at the top of a module, and what it reaches."""
        if (module, name) in self.texts:
            return
        found = _definition(module, name)
        self.texts[module, name] = found.text
        for each in found.names:
            self.visit(module, each)
        for bound in found.imports:
            self._follow(bound)

    def _follow(self, bound: _Import) -> None:
        """A definition, a module as a whole, or something of a library."""
        top = bound.module.partition(".")[0]
        if top not in self.own and _is_installed(top):
            self.foreign.add(top)
        elif bound.name is None:
            self._whole(bound.module)
        elif _source(f"{bound.module}.{bound.name}") is None:
            self.visit(bound.module, bound.name)
        else:
            self._whole(f"{bound.module}.{bound.name}")

    def _whole(self, module: str) -> None:
        for name in _bindings(module):
            self.visit(module, name)


@cache
def _definition(module: str, name: str) -> _Definition:
    there, text, names, imports = _bindings(module), "", dict[str, None](), list[_Import]()
    for node in there.get(name, []):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _imports(node, name)
            continue
        seen = list[ast.AST]()
        text += _text(node, seen)
        for each in seen:
            if isinstance(each, ast.Name) and each.id in there:
                names[each.id] = None
            elif isinstance(each, ast.Import | ast.ImportFrom):
                imports += _imports(each, None)
    return _Definition(text, tuple(names), tuple(imports))


def _text(node: ast.AST, seen: list[ast.AST]) -> str:
    """What `ast.dump` says, in half the time: a run that skips every step does little else.

    seen: gets the names and the imports in it.
    """
    kind, parts = type(node), list[str]()
    if kind in _SEEN:
        seen.append(node)
    for name in kind._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            parts.append(f"{name}={_text(value, seen)}")
        elif isinstance(value, list):
            inner = [_text(each, seen) if isinstance(each, ast.AST) else repr(each) for each in value]
            parts.append(f"{name}=[{', '.join(inner)}]")
        elif value is not None or getattr(kind, name, ...) is not None:
            parts.append(f"{name}={value!r}")
    return f"{kind.__name__}({', '.join(parts)})"


def _imports(node: ast.Import | ast.ImportFrom, bound: str | None) -> Iterator[_Import]:
    """What an import statement binds to this name; None: to any name."""
    for alias in node.names:
        if bound in (None, alias.asname or alias.name.partition(".")[0]):
            origin = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            yield _Import(origin, alias.name if isinstance(node, ast.ImportFrom) else None)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _bindings(module: str) -> dict[str, list[ast.stmt]]:
    """Name -> the statements at the top of a module that bind it, also those below an `if`, `try` or `with`."""
    source, found = _source(module), dict[str, list[ast.stmt]]()
    tree = ast.parse(source.read_bytes() if source else b"")
    _drop_texts(tree.body)
    for node in _flat(tree.body):
        for name in _bound(node):
            found.setdefault(name, []).append(node)
    return found


def _drop_texts(body: Iterable[ast.AST]) -> None:
    """Docstrings, at any depth. Only a statement, a handler or a case has others in it."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            inner = getattr(node, part, ())
            if isinstance(inner, list):
                _drop_texts(inner)


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            for part in ("body", "orelse", "handlers", "finalbody"):
                inner = getattr(node, part, [])
                yield from _flat(x for each in inner for x in ([each] if isinstance(each, ast.stmt) else each.body))
        else:
            yield node


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


@cache
def _is_installed(top: str) -> bool:
    """Whether Python or a distribution brings a module, so that its version says what it does."""
    spec = None if top in sys.stdlib_module_names or top == "__main__" else importlib.util.find_spec(top)
    if spec is None:
        return True
    where = [spec.origin or "", *(spec.submodule_search_locations or ())]
    return any(part in _INSTALLED for each in where for part in Path(each).parts)


@cache
def _source(module: str) -> Path | None:
    """The file of a module; its packages are not imported."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec and not rest and not spec.submodule_search_locations and (spec.origin or "").endswith(".py"):
        return Path(spec.origin or "")  # a module beside others, in no package
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, *rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    return None
