"""A card is read with what the gate decided last, whoever published the version, and no file of it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.registry.gate.test_verdicts import asked
from tests.training.registry.model_card.test_model_card import FACTS, Parsed
from tests.training.registry.sound_versions import MODEL, publish_sound
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import keep_verdict
from training.registry.model_card.carried_model_card import carried_model_card
from training.registry.model_card.document_text import html_section, markdown_section
from training.registry.model_card.gate_section import gate_elsewhere
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN, write_model_card
from training.registry.verification import verify_version
from training.registry.version_model_card import model_card_of
from training.registry.versions import Registry

CARD = write_model_card(replace(FACTS, manifest=replace(FACTS.manifest, model=MODEL)))
REFUSED = "roc_auc 0.4 is below its floor 0.5"


def older(card: dict[str, bytes]) -> dict[str, bytes]:
    """As it was written before it said where the section of the gate is."""
    place = gate_elsewhere(MODEL)
    markdown, page = (card[name].decode() for name in (MODEL_CARD_MARKDOWN, MODEL_CARD_HTML))
    assert markdown_section(place) in markdown
    assert html_section(place) in page
    return {
        MODEL_CARD_MARKDOWN: markdown.replace(markdown_section(place), "").encode(),
        MODEL_CARD_HTML: page.replace(html_section(place), "").encode(),
    }


def read(registry: Registry) -> tuple[str, str]:
    found = model_card_of(registry, MODEL, 1)
    return found[MODEL_CARD_MARKDOWN].decode(), found[MODEL_CARD_HTML].decode()


@pytest.mark.parametrize("card", [CARD, older(CARD)], ids=["now", "older"])
def test_a_card_has_the_newest_verdict_in_its_place_and_the_version_stays_as_it_was(
    tmp_path: Path, card: dict[str, bytes]
) -> None:
    registry = Registry(tmp_path)
    publish_sound(registry, more=card)
    before = {name: registry.read(MODEL, 1, name) for name in registry.files(MODEL, 1)}
    keep_verdict(registry, asked(), "a test")
    for text in read(registry):
        assert text.count("The gate<" if text.startswith("<") else "## The gate\n") == 1
        assert text.index(REFUSED) < text.index("What it is"), "why it was held back is what a reader asks first"
        assert "stays a challenger" in text
        assert "is not in this file" not in text
    markdown, page = read(registry)
    assert markdown.startswith(f"# Model card of {MODEL}\n\n## The gate\n\nVersion 1 stays a challenger")
    assert Parsed(page).open == []
    section = markdown[markdown.index("## The gate") : markdown.index("## What it is")]
    assert markdown.replace(section, "") == older(CARD)[MODEL_CARD_MARKDOWN].decode(), "all else is as it was published"

    keep_verdict(registry, asked("roc_auc 0.9"), "lower floors")
    Aliases(registry).promote(MODEL, 1, why="the gate: roc_auc 0.9")
    for text in read(registry):
        assert "may become champion" in text
        assert "promote champion - -&gt; 1" in text or "promote champion - -> 1" in text
        assert REFUSED in text, "the log has what was decided before"
    assert {name: registry.read(MODEL, 1, name) for name in registry.files(MODEL, 1)} == before
    assert verify_version(registry, MODEL, 1).faults == ()


def test_the_gate_stands_below_the_sentence_of_a_card_that_was_carried(tmp_path: Path) -> None:
    """Of a card of an earlier release, the sentence about the whole card ended the section of the gate."""
    registry, says = Registry(tmp_path), "This is the model card of version 7."
    publish_sound(registry, more=carried_model_card(older(CARD), says))
    for text in read(registry):
        begins = [text.index(each) for each in ("Model card of", says, "The gate", "Of version 1 there", "What it is")]
        assert begins == sorted(begins)
    markdown, page = read(registry)
    assert markdown.startswith(f"# Model card of {MODEL}\n\n{says}\n\n## The gate\n\nOf version 1")
    assert Parsed(page).open == []


def test_a_version_without_a_card_has_one_of_what_is_known(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_sound(registry)
    keep_verdict(registry, asked(), "a test")
    markdown, page = read(registry)
    for text in (markdown, page):
        for fact in (REFUSED, "random_forest", "average_precision", "1.5e-07"):
            assert fact in text, fact
    assert Parsed(page).open == []


def test_a_version_of_before_the_gate_was_kept_has_what_the_log_says(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_sound(registry, more=older(CARD))
    Aliases(registry).promote(MODEL, 1, why="the gate: floors reached (roc_auc)")
    for text in read(registry):
        assert "Of version 1 there is no verdict: none is kept" in text
        assert "the gate: floors reached (roc_auc)" in text


@pytest.mark.parametrize("more", [CARD, None], ids=["with a card", "without"])
@pytest.mark.parametrize("harm", [b"{}", b"no JSON"])
def test_a_verdict_that_was_changed_is_not_shown_and_the_card_can_be_read(
    tmp_path: Path, harm: bytes, more: Any
) -> None:
    registry = Registry(tmp_path)
    publish_sound(registry, more=more)
    keep_verdict(registry, asked(), "a test")
    (tmp_path / MODEL / "verdicts" / "1.json").write_bytes(harm)
    for text in read(registry):
        assert "is not the one of which the log says" in text
        assert "none is kept" not in text
        assert f"stays a challenger: {REFUSED}" in text, "as the log has it"


def test_a_damaged_verdict_of_which_the_log_says_nothing_is_said(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    publish_sound(registry, more=CARD)
    (tmp_path / MODEL / "verdicts").mkdir()
    (tmp_path / MODEL / "verdicts" / "1.json").write_bytes(b"{")
    assert "verdicts/1.json has no line in the log" in read(registry)[0]
