"""The reference domain lives in its definition files and nowhere else."""

import re

import pytest

from tests.architecture.source_tree import PACKAGES, text_files

# What a user replaces by their own module (MILLRACE_DEFINITIONS); everything else runs any domain.
DEFINITION_FILES = (
    "shared_features/event_sources.py",
    "shared_features/feature_groups/",
    "shared_features/feature_views.py",
    "shared_features/on_demand.py",
)
DOMAIN = {"card", "terminal", "customer", "amount", "fraud"}
# Words inside names too: `card_fraud`, `CardFraud`, `maxAmount`; but not `discard` or `cardinality`.
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# The same words with another meaning: the screen that a log is read on, a cited book, a page about a model.
OTHER_MEANING = re.compile(
    r"\bon (a|the) terminal\b|Credit Card Fraud Detection|model[ _-]cards?|\bcard\.(md|html)\b", re.IGNORECASE
)


def domain_words(text: str) -> set[str]:
    words = {word.lower() for word in WORD.findall(OTHER_MEANING.sub("", text))}
    return {word for word in words if word in DOMAIN or (word.endswith("s") and word[:-1] in DOMAIN)}


def test_words_are_found_inside_names() -> None:
    assert domain_words("CardFraud(amount=1)  # per customers") == {"card", "fraud", "amount", "customers"}
    assert domain_words("discard the cardinality, TERMINAL_RISK, wildcards") == {"terminal"}
    assert not domain_words("for people on a terminal, JSON elsewhere")


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_but_the_definitions_names_the_domain(package: str) -> None:
    """Code, comments and examples alike: a word of one domain is where the next one breaks."""
    found = [
        f"{name}:{number}: {', '.join(sorted(words))}"
        for name, text in text_files()
        if name.startswith(f"{package}/") and not name.startswith(DEFINITION_FILES)
        for number, line in enumerate(text.splitlines(), start=1)
        if (words := domain_words(line))
    ]
    assert not found, "say it in the words of any domain:\n" + "\n".join(found)
