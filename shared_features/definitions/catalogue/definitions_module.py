"""The module that holds a domain's definitions: importing it, and saying why it cannot be imported."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from pathlib import Path, PurePath
from types import ModuleType

from shared_features.definitions.catalogue.meant import field_of_another, meant_names
from shared_features.errors import DefinitionError, FeatureError

_OURS = Path(__file__).parents[2]
_STANDARD_LIBRARY, _INSTALLED = sysconfig.get_paths()["stdlib"], ("site-packages", "dist-packages")
_NOT_A_USERS = (
    "<frozen",
    "<string>",  # what `dataclass` writes
    *(str(_OURS / name) for name in ("definitions/", "kernel/", "arguments.py", "lazy_names.py")),
    *(str(_OURS.parent / "training" / name) for name in ("pipelines", "definitions")),  # they are definitions too
)


def import_definitions(module_name: str) -> ModuleType:
    """Import the module. Raises DefinitionError, which names the line at fault, when that fails."""
    try:
        return importlib.import_module(module_name)
    except FeatureError as error:  # a contradiction: it says itself what to do
        raise DefinitionError(f"{error}{_place(error)}{field_of_another(error)}") from error
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise DefinitionError(
                f"definitions module {module_name!r} cannot be found ({error}); set MILLRACE_DEFINITIONS to a module "
                "on the Python path"
            ) from error
        raise DefinitionError(
            f"definitions module {module_name!r} imports {error.name!r}, and there is no such module{_place(error)}; "
            "correct the import or install what it names"
        ) from error
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise DefinitionError(
            f"definitions module {module_name!r} cannot be imported: {type(error).__name__}: {said}{_place(error)}; "
            f"correct the module{meant_names(error)}"
        ) from error


def _place(error: Exception) -> str:
    """Where the error was raised, as in " (line 3 of features.py)"."""
    if isinstance(error, SyntaxError):
        return f" (line {error.lineno} of {Path(error.filename or '').name})"
    frames = [each for each in traceback.extract_tb(error.__traceback__) if _is_a_users(each.filename)]
    return f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""


def _is_a_users(file: str) -> bool:
    """Whether a person who writes definitions may have written the file: it is neither Python's own nor ours."""
    of_python = file.startswith(_STANDARD_LIBRARY) and not set(PurePath(file).parts) & set(_INSTALLED)
    return not of_python and not file.startswith(_NOT_A_USERS)
