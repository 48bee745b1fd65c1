from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.models.metrics.residual_curves import residual_curves
from training.registry.model_card.model_card import MODEL_CARD_HTML, MODEL_CARD_MARKDOWN, write_model_card
from training.registry.model_card.model_facts import ModelFacts

DECISIONS = {"threshold": 0.3, "precision": 0.625, "recall": None}
FOUND = {
    "decisions": DECISIONS,
    "roc_auc": 0.91,
    "average_precision": 0.6,
    "calibration_error": 0.21,
    "per_day": {"precision": []},
}
METRICS: dict[str, Any] = {
    "chosen": "random_forest",
    "chosen_by": "average_precision",
    "rows": 750,
    "intervals": {
        "confidence": 0.95, "resamples": 400, "entities": 31,
        "metrics": {"roc_auc": [0.87, 0.94], "average_precision": None},
    },
    "models": {"logistic_regression": {**FOUND, "roc_auc": 0.8}, "random_forest": FOUND},
    "importance": {"a_useless_one": -0.0004, "celsius": 0.123},
    "slices": {
        "category": {
            "metric": "average_precision", "worst": "<b>shoes</b>", "best": "a|b", "gap": 0.25,
            "slices": {"<b>shoes</b>": {"rows": 400, "average_precision": 0.45},
                       "a|b": {"rows": 300, "average_precision": 0.7},
                       "missing": {"rows": 0, "average_precision": None}},
        }
    },
}  # fmt: skip
FACTS = ModelFacts(
    MANIFEST,
    replace(DATASET, categories={"category": ("a|b", "<b>shoes</b>")}),
    METRICS,
    {"roc_auc": 0.5},
    {"random_forest": {"roc": [[0.0, 0.0], [0.1, 0.8], [1.0, 1.0]], "calibration": [[0.2, 0.1]]}},
    {"celsius": 0.0, "humidity": 0.7, "empty": 1.0},
    "Plant 3",
    "Whether it breaks.",
    "training run 20260101T000000",
)


class Parsed(HTMLParser):
    """The tags and the text of a page. Void elements have no end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "path", "li", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "li", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", [MODEL_CARD_MARKDOWN, MODEL_CARD_HTML])
def test_a_card_says_what_where_from_how_good_for_whom_and_its_limits(name: str) -> None:
    text = write_model_card(FACTS)[name].decode()
    for fact in (
        *("Model card of card_fraud", "Whether it breaks.", "Plant 3", "training run 20260101T000000"),
        *("2024-10-04T00:00:00Z to 2024-10-10T00:00:00Z", "1,500", "left out, label unknown"),
        "random_forest was chosen by average_precision. The gate asks for roc_auc 0.5.",
        *("By how much average_precision is worse when", "0.1230", "-0.0004"),
        "average_precision across category is 0.2500 apart",
        *("Without any value in the train window: empty.", "humidity (70%)", "The test window has 45 positive rows"),
        *("the calibration error is 0.210", "Events of 2 erased entities are not in the data"),
        *("at the threshold", "0.625"),
        "48,211 bytes; processor time of one row 11 us, of 100 rows 60 us",
        *(MANIFEST.model_digest, "card_fraud:v1 (0123456789abcdef)", "version 7"),
    ):
        assert fact in text, fact
    assert text.index("0.1230") < text.index("-0.0004"), "what is needed most comes first"
    assert text.index("random_forest") < text.index("logistic_regression"), "the chosen candidate comes first"


def test_the_page_is_whole_has_plots_and_no_text_of_a_user_is_html() -> None:
    page = Parsed(write_model_card(FACTS)[MODEL_CARD_HTML].decode())
    assert page.open == []
    assert page.tags.count("svg") >= 2
    assert "b" not in page.tags
    assert "<b>shoes</b>" in page.text


def test_a_table_of_markdown_has_as_many_cells_in_each_row() -> None:
    text = write_model_card(FACTS)[MODEL_CARD_MARKDOWN].decode()
    lines = text.splitlines()
    for above, below in pairwise(lines):
        if above.startswith("|") and below.startswith("|"):
            assert above.replace("\\|", "").count("|") == below.replace("\\|", "").count("|")
    assert "| a\\|b | 300 | 0.7 |" in lines
    assert "<b>" not in text


def test_a_value_that_an_order_does_not_have_is_a_limit() -> None:
    facts = replace(FACTS, order_doubts=("The order of category leaves out 'gold' of the train window.",))
    text = write_model_card(facts)[MODEL_CARD_MARKDOWN].decode()
    assert "The order of category leaves out 'gold'" in text[text.index("## Limits") : text.index("## Lineage")]


@pytest.mark.parametrize(("task", "classes"), [("regression", ()), ("multiclass", ("kept", "lost"))])
def test_other_tasks_have_a_card_too(task: str, classes: tuple[str, ...]) -> None:
    counts = replace(DATASET.rows, train=replace(DATASET.rows.train, by_class=(1_000, 500)))
    dataset = replace(DATASET, task=task, classes=classes, rows=counts)
    manifest = replace(MANIFEST, task=task, classes=classes)
    of_class = {"rows": 90, "precision": 0.5, "recall": None, "answered": {"kept": 80, "lost": 10}}
    found = {"rmse": 2.0, **({"per_class": {"kept": of_class}} if task == "multiclass" else {})}
    metrics = {"chosen": "m", "chosen_by": "rmse", "rows": 750, "models": {"m": found}}
    text = write_model_card(ModelFacts(manifest, dataset, metrics, {}))[MODEL_CARD_MARKDOWN].decode()
    assert "The gate asks for no floor." in text
    assert "positive" not in text
    assert ("| kept | 90 | 0.5 |  |  |  |  | kept 80, lost 10 |" in text) == (task == "multiclass")
    assert ("| window | rows | kept | lost | left out, label unknown |" in text) == (task == "multiclass")


def test_the_card_of_a_regression_draws_residuals_and_no_curves_of_scores() -> None:
    metrics = {"chosen": "m", "chosen_by": "rmse", "rows": 3, "models": {"m": {"rmse": 2.0}}}
    curves = {name: residual_curves(np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])) for name in ("m", "other")}
    facts = ModelFacts(replace(MANIFEST, task="regression"), replace(DATASET, task="regression"), metrics, {}, curves)
    text = write_model_card(facts)[MODEL_CARD_HTML].decode()
    assert re.findall("<figcaption>(.*?)</figcaption>", text) == ["Residuals", "Labels"]
    assert text.count("<circle") == 6
    assert "95th percentile" in text


def test_a_table_wider_than_the_screen_scrolls_and_a_table_of_facts_has_no_empty_head() -> None:
    page = Parsed(write_model_card(FACTS)[MODEL_CARD_HTML].decode())
    assert page.tags.count("div") == page.tags.count("table")
    assert 0 < page.tags.count("thead") < page.tags.count("table")


def test_the_metrics_of_the_chosen_candidate_stand_with_their_intervals() -> None:
    card = write_model_card(FACTS)[MODEL_CARD_MARKDOWN].decode()
    assert "| metric | random_forest | 95% interval | logistic_regression |" in card
    assert "| roc_auc | 0.91 | 0.87 to 0.94 | 0.8 |" in card
    assert "| average_precision | 0.6 |  | 0.6 |" in card
    assert "Its intervals are those of 400 resamples of 31 entities." in card


def test_of_many_features_the_card_shows_those_that_the_model_needs_most() -> None:
    needed = {f"feature_{number:02}": number / 100 for number in range(30)}
    card = write_model_card(replace(FACTS, metrics={**METRICS, "importance": needed}))[MODEL_CARD_MARKDOWN].decode()
    shown = re.findall(r"\| (feature_\d\d) \|", card)
    assert shown == [f"feature_{number:02}" for number in range(29, 9, -1)]


def test_a_card_says_by_what_features_and_slices_are_measured_where_the_metric_that_chose_needs_whole_days() -> None:
    by = {"chosen_by": "precision_at_50_per_day", "importance_by": "average_precision"}
    card = write_model_card(replace(FACTS, metrics={**METRICS, **by}))[MODEL_CARD_MARKDOWN].decode()
    assert "It needs all entities of a day, so features, slices and searches go by average_precision." in card
    assert "By how much average_precision is worse" in card
