"""All errors have one root, and the tree at the top of each `errors.py` is the tree that the code raises."""

import ast
import importlib
import re
from collections.abc import Iterator

import pytest

from shared_features.errors import MillraceError
from tests.architecture.source_tree import PACKAGES, python_files

OURS = (*PACKAGES, "deploy")
FILES = {name: tree for package in OURS for name, tree in python_files(package) if name.endswith("/errors.py")}
NOT_ERRORS = {
    "deploy.local.stack.interruption.Interrupted": "a signal: no Exception, so that nothing takes it for a fault",
}
CAUGHT_AT_HOME = {
    "deploy.embedded.processes.launched_commands._NothingError": "ends a loop of its own module",
    "serving.client.predict_command._UnreadableError": "an argument, which its own module prints",
    "shared_features.arguments._UnfitError": "becomes a DefinitionError in its own module",
    "shared_features.definitions.views.function_trial._ComparedWithTextError": "becomes an OnDemandError there",
    "streaming.bootstrap.group_build._TooLarge": "makes its own module divide a build",
    "streaming.kafka.brokers.topics._NotYet": "makes its own module ask again",
}


def modules() -> Iterator[str]:
    for package in OURS:
        for name, _ in python_files(package):
            yield name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def exceptions(root: type[BaseException] = BaseException) -> Iterator[type[BaseException]]:
    """Every class that derives from a root, to any depth."""
    for each in root.__subclasses__():
        yield each
        yield from exceptions(each)


def our_exceptions() -> dict[str, type[BaseException]]:
    for module in modules():
        importlib.import_module(module)
    found = {f"{each.__module__}.{each.__qualname__}": each for each in exceptions()}
    return {name: each for name, each in found.items() if name.partition(".")[0] in OURS}


def bases_of(tree: ast.Module) -> dict[str, str]:
    """The classes of an `errors.py`, each with its first base."""
    return {node.name: ast.unparse(node.bases[0]) for node in tree.body if isinstance(node, ast.ClassDef)}


def drawn_bases_of(tree: ast.Module) -> dict[str, str]:
    """The same, as the indented lines of its docstring draw it. The root of the drawing has none."""
    lines = re.findall(r"^( *)(\w+)(?:  .*)?$", ast.get_docstring(tree) or "", re.MULTILINE)
    drawn, above = dict[str, str](), list[tuple[int, str]]()
    for indent, name in lines:
        above = [each for each in above if each[0] < len(indent)]
        if above:
            drawn[name] = above[-1][1]
        above.append((len(indent), name))
    return drawn


def raised_names() -> set[str]:
    """Every name that is called or named in our packages outside the definition of the errors themselves."""
    return {
        node.id
        for package in OURS
        for name, tree in python_files(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not name.endswith("/errors.py")
    }


def test_every_public_exception_is_a_millrace_error() -> None:
    """A program that embeds Millrace catches one class."""
    found = our_exceptions()
    assert len(found) > 40, "the walk has lost its way"
    public = {name: each for name, each in found.items() if not each.__name__.startswith("_")}
    strangers = {name for name, each in public.items() if not issubclass(each, MillraceError)}
    assert strangers == set(NOT_ERRORS)


def test_a_private_exception_says_where_it_is_caught() -> None:
    private = {name for name, each in our_exceptions().items() if each.__name__.startswith("_")}
    assert private == set(CAUGHT_AT_HOME)


@pytest.mark.parametrize("file", FILES)
def test_every_leaf_of_the_tree_is_in_use(file: str) -> None:
    bases = bases_of(FILES[file])
    leaves = bases.keys() - bases.values()
    assert leaves
    assert not leaves - raised_names(), "errors that nothing raises"


@pytest.mark.parametrize("file", FILES)
def test_the_tree_as_drawn_is_that_of_the_classes(file: str) -> None:
    """A root is drawn too: of another file, or in shared_features MillraceError itself."""
    bases = bases_of(FILES[file])
    assert drawn_bases_of(FILES[file]) == {name: base for name, base in bases.items() if base != "Exception"}
