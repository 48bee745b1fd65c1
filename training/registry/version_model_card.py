"""The model card of a version as it is read: what was published, and what the gate decided of it, on one page.

The files of a version never change, so the section of the gate is put in when somebody asks. That is so of every
version, whichever release published it, and wherever the registry lies.
"""

from __future__ import annotations

from collections.abc import Callable

from shared_features.errors import FeatureError
from training.registry.aliases import Aliases
from training.registry.gate.verdicts import kept_verdict, verdict_faults
from training.registry.model_card.carried_model_card import FIRST_SECTION
from training.registry.model_card.document_text import (
    Section,
    html_section,
    markdown_section,
    write_html,
    write_markdown,
)
from training.registry.model_card.gate_section import gate_elsewhere, gate_section
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN
from training.registry.model_card.model_facts import fact_table
from training.registry.versions import Registry

_WRITTEN: dict[str, Callable[[Section], str]] = {
    MODEL_CARD_MARKDOWN: markdown_section,
    MODEL_CARD_HTML: html_section,
}


def model_card_of(registry: Registry, model: str, version: int) -> dict[str, bytes]:
    """File name -> content: Markdown, and one page of HTML.

    A version that was published without them has them of the facts that are known. Raises RegistryError where there
    is no such version.
    """
    section, found = section_of_gate(registry, model, version), dict[str, bytes]()
    for name, write in _WRITTEN.items():
        content = registry.find(model, version, name)
        if content is None:
            return _of_facts(registry, model, version, section)
        document, first = content.decode(), FIRST_SECTION[name]
        found[name] = _put_in(document, write(section), write(gate_elsewhere(model)), first).encode()
    return found


def section_of_gate(registry: Registry, model: str, version: int) -> Section:
    """A verdict that was changed is not shown, and the section says so."""
    faults, kept = list(verdict_faults(registry, model, version)), None
    if not faults:
        try:
            kept = kept_verdict(registry, model, version)
        except FeatureError as error:
            faults = [str(error)]
    aliases = [name for name, number in Aliases(registry).of(model).items() if number == version]
    changes = [each for each in registry.log.changes(model) if version in (each.version, each.before)]
    return gate_section(version, kept, faults, aliases, changes)


def _put_in(document: str, section: str, elsewhere: str, first: str) -> str:
    """In its place, or before the first section of a document that an earlier release wrote. first: how that begins."""
    if elsewhere in document:
        return document.replace(elsewhere, section, 1)
    breaks = first[: -len(first.lstrip())]
    return document.replace(first, f"{breaks}{section}{first.lstrip()}", 1)


def _of_facts(registry: Registry, model: str, version: int, section: Section) -> dict[str, bytes]:
    from training.registry.version_facts import published_facts  # only here: a scheduler at rest holds nothing heavy

    facts = published_facts(registry, model, version)
    sections = [section, *(Section(name.capitalize(), tables=[fact_table(found)]) for name, found in facts.items())]
    title = f"Model card of {model}"
    return {
        MODEL_CARD_MARKDOWN: write_markdown(title, sections).encode(),
        MODEL_CARD_HTML: write_html(title, sections).encode(),
    }
