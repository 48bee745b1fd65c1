"""The module that holds a domain's definitions: importing it, and saying why it cannot be imported."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import ModuleType

from shared_features.errors import DefinitionError, FeatureError

_OF_PYTHON = ("<frozen", importlib.__file__)


def import_definitions(module_name: str) -> ModuleType:
    """Import the module. Raises DefinitionError, which names the line at fault, when that fails."""
    try:
        return importlib.import_module(module_name)
    except FeatureError:
        raise  # a contradiction: it says itself what to do
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
            "correct the module"
        ) from error


def _place(error: Exception) -> str:
    """Where the error was raised, as in " (line 3 of features.py)"."""
    if isinstance(error, SyntaxError):
        return f" (line {error.lineno} of {Path(error.filename or '').name})"
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(_OF_PYTHON)]
    return f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if len(frames) > 1 else ""
