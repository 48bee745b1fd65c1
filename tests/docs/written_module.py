"""The module that a reader of a page writes: its Python blocks, one below the other."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from tests.docs.pages import page


def written_module(name: str, folder: Path) -> Any:
    """That of the page of this name, as a file in a folder."""
    blocks = [block.code for block in page(name).blocks() if block.language == "python"]
    file = folder / f"page_of_{Path(name).stem}.py"
    file.write_text("\n".join(blocks), encoding="utf-8")
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
