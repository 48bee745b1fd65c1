"""The project's own files as the architecture tests read them: text and syntax trees, nothing is imported."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared_features", "streaming", "training", "serving")
NOT_OURS = {".git", ".venv", "var", "build", "dist", "__pycache__"}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is committed or would be: what git does not ignore; without git, what lies here."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not NOT_OURS & set(p.relative_to(ROOT).parts)]
    return tuple(sorted(p for p in set(paths) if p.is_file()))


def text_files() -> Iterator[tuple[str, str]]:
    """(path within the project, text) of every file that is text."""
    for path in project_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8", errors="replace")


def python_files(package: str) -> Iterator[tuple[str, ast.Module]]:
    """(path within the project, syntax tree) of every Python file of a package."""
    for name, text in text_files():
        if name.startswith(f"{package}/") and name.endswith(".py"):
            yield name, ast.parse(text, filename=name)


def imported_packages(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(top-level package, line) of every import, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno
