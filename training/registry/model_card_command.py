"""`python -m training registry model-card`: the model card of a version with what the gate decided."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.durable_files import replace_file
from training.errors import RegistryError
from training.output_files import PAGE, TEXT_OR_PAGE, check_output, has_kind
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN
from training.registry.version_facts import find_version
from training.registry.version_model_card import model_card_of
from training.registry.versions import Registry


def show_model_card(registry: Registry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """As plain data, and as lines. Raises TrainingError."""
    file = options.output
    if file is not None:
        check_output(file, TEXT_OR_PAGE)
    version = find_version(registry, options.model, options.version)
    found = model_card_of(registry, options.model, version)
    plain = {"model": options.model, "version": version}
    if file is None:
        said = {name: content.decode() for name, content in found.items()}
        return {**plain, **said}, said[MODEL_CARD_MARKDOWN].splitlines()
    _write(file, found[MODEL_CARD_HTML if has_kind(file, PAGE) else MODEL_CARD_MARKDOWN])
    return {**plain, "output": str(file)}, [f"the model card of {options.model} version {version} is in {file}"]


def _write(file: Path, content: bytes) -> None:
    try:
        replace_file(file, content)
    except OSError as error:
        raise RegistryError(
            f"The model card cannot be written to {file}: {error.strerror}. Mend it, or name another file."
        ) from error
