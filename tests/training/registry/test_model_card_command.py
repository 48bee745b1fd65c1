from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.training.registry.gate.test_verdicts import asked
from tests.training.registry.sound_versions import MODEL
from training.registry.gate.verdicts import keep_verdict
from training.registry.versions import Registry


def test_the_card_is_printed_written_as_markdown_or_as_a_page(registry: Registry, said: Any, tmp_path: Path) -> None:
    keep_verdict(registry, asked(), "a test")
    printed = said("model-card", MODEL, "1")
    assert printed.startswith(f"# Model card of {MODEL}\n\n## The gate\n\nVersion 1 stays a challenger")
    assert "Of version 2 there is no verdict" in said("model-card", MODEL), "the newest, while there is no champion"
    markdown, page = tmp_path / "pages" / "card.md", tmp_path / "card.HTML"
    assert (
        said("model-card", MODEL, "1", "-o", str(markdown)) == f"the model card of {MODEL} version 1 is in {markdown}\n"
    )
    said("model-card", MODEL, "1", "-o", str(page))
    assert markdown.read_text() == printed
    assert page.read_text().startswith("<!doctype html>")
    assert "roc_auc 0.4 is below its floor 0.5" in page.read_text()
    found = json.loads(said("model-card", MODEL, "1", "--json"))
    assert (found["version"], found["card.md"], found["card.html"]) == (1, printed, page.read_text())
    assert json.loads(said("model-card", MODEL, "1", "--json", "-o", str(page)))["output"] == str(page)


def test_a_card_that_cannot_be_shown_is_a_sentence(registry: Registry, said: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written to" in said("model-card", MODEL, "-o", str(tmp_path / "file" / "card.md"), code=1)
    assert "has no version 7" in said("model-card", MODEL, "7", code=1)
