"""Shadow scoring: the challenger scores what was answered, nobody waits for it, and each instance is counted once."""

import asyncio
import re
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from serving.models.challenger_metrics import ChallengerMetrics
from serving.models.model import Model, open_session
from serving.prediction.shadow import Shadow, difference, same_decision
from shared_features.stored_features.feature_vectors import FeatureRows
from tests.domains.machines import BREAKDOWN
from tests.serving.asking import PATH
from tests.serving.conftest import INSTANCE
from tests.serving.published_models import logarithm, patient, publish
from training.models.graph.model_constants import INPUT_NAME
from training.models.task_rules import RULES
from training.registry.aliases import Aliases
from training.registry.versions import Registry

VIEW = "breakdown:v1"


def challenger(graph, **changed):
    return Model("m", 2, INPUT_NAME, RULES["binary"].output_name, open_session(graph), **changed)


CHAMPION = Model("m", 1, INPUT_NAME, "score", None)


def rows_of(*first):
    matrix = np.array([[each, 0.0] for each in first], np.float32)
    return FeatureRows(matrix, np.zeros(len(first), np.int64), [])


def counted(registry, outcome):
    return registry.get_sample_value("serving_challenger_scores_total", {"view": VIEW, "outcome": outcome}) or 0.0


def until_counted(registry, instances, within_s=60.0):
    outcomes = "scored", "failed", "dropped", "other task"
    end_s = time.monotonic() + within_s
    while sum(counted(registry, each) for each in outcomes) < instances:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    return {each: counted(registry, each) for each in outcomes if counted(registry, each)}


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def shadow(registry):
    started = Shadow(ChallengerMetrics(registry), 1.0)
    started.start()
    yield started
    started.stop()


def test_each_instance_is_scored_once_and_the_differences_are_those_of_the_scores(serving, tmp_path):
    """The oracle scores by the header that names the challenger."""
    for times, threshold in ((0.1, 0.4), (0.2, 0.7)):
        publish(tmp_path, BREAKDOWN, promote=False, graph=logarithm(times), threshold=threshold)
    aliases = Aliases(Registry(tmp_path))
    aliases.promote("breakdown", 1)
    aliases.promote("breakdown", 2, "challenger")
    instances = [INSTANCE | {"celsius": 20.0 + 7 * number} for number in range(12)]

    async def work():
        async with serving(registry=tmp_path) as client:
            answers = {}
            for named in ("challenger", "champion"):  # who is asked by name is not compared with itself
                answer = await client.post(PATH, json={"instances": instances}, headers={"Millrace-Model": named})
                answers[named] = answer.json()["predictions"]
            async with asyncio.timeout(60):
                while True:
                    said = (await client.get("/metrics")).text
                    if f'serving_challenger_scores_total{{outcome="scored",view="{VIEW}"}} 12' in said:
                        return answers, said
                    await asyncio.sleep(0.02)

    answers, said = asyncio.run(work())
    pairs = list(zip(answers["champion"], answers["challenger"], strict=True))

    def sample(name):
        (value,) = re.findall(rf"^{re.escape(name)} (.*)$", said, re.MULTILINE)
        return float(value)

    assert sample(f'serving_challenger_scores_total{{outcome="scored",view="{VIEW}"}}') == 12
    expected = sum(abs(one["score"] - other["score"]) for one, other in pairs)
    assert expected > 0.1
    assert sample(f'serving_challenger_difference_sum{{view="{VIEW}"}}') == pytest.approx(expected)
    same = sum(one["decision"] == other["decision"] for one, other in pairs)
    assert 0 < same < 12
    assert sample(f'serving_challenger_decisions_total{{same="true",view="{VIEW}"}}') == same
    assert sample(f'serving_challenger_info{{model="breakdown",version="2",view="{VIEW}"}}') == 1


def test_what_a_challenger_cannot_score_is_counted_and_its_fault_is_told_once(shadow, registry):
    nan = challenger(logarithm())
    with capture_logs() as lines:
        shadow.take(VIEW, CHAMPION, nan, rows_of(1.0, -1.0), 0, [0.5, 0.5])
        broken = replace(nan, input_name="other")
        for _ in range(3):
            shadow.take(VIEW, CHAMPION, broken, rows_of(1.0), 0, [0.5])
        shadow.take(VIEW, CHAMPION, replace(nan, task="regression"), rows_of(1.0), 0, [0.5])
        assert until_counted(registry, 6) == {"scored": 1, "failed": 4, "other task": 1}
    assert [line["event"] for line in lines] == ["a challenger failed to score"]


def test_only_the_rows_of_the_answer_are_scored(shadow, registry):
    shadow.take(VIEW, CHAMPION, challenger(logarithm()), rows_of(-1.0, np.e, np.e, -1.0), 1, [1.0, 1.0])
    assert until_counted(registry, 2) == {"scored": 2}
    assert registry.get_sample_value("serving_challenger_difference_sum", {"view": VIEW}) == pytest.approx(0, abs=1e-6)


def test_a_challenger_that_takes_too_long_is_ended_and_what_has_no_room_is_dropped(registry):
    shadow = Shadow(ChallengerMetrics(registry), 1.0)
    slow = challenger(patient(1 << 40))
    shadow.take(VIEW, CHAMPION, slow, rows_of(1.0), 0, [0.5])
    many = rows_of(*[1.0] * 8191)
    shadow.take(VIEW, CHAMPION, challenger(logarithm(), shares_runs=True), many, 0, [0.5] * 8191)
    for _ in range(2):
        shadow.take(VIEW, CHAMPION, slow, rows_of(1.0), 0, [0.5])
    assert until_counted(registry, 2) == {"dropped": 2}
    shadow.start()  # whoever answers has waited for nothing: so far nobody scores
    assert until_counted(registry, 8194) == {"scored": 8191, "failed": 1, "dropped": 2}
    shadow.stop()
    assert "shadow" not in [each.name for each in threading.enumerate()]


def test_the_measures_of_a_difference():
    binary, other = Model("m", 1, "", "", None, threshold=0.5), Model("m", 2, "", "", None, threshold=0.9)
    assert difference(binary, 0.25, other, 1.0) == 0.75
    assert same_decision(binary, 0.6, other, 0.8) is False
    assert same_decision(binary, 0.6, replace(other, threshold=None), 0.8) is None
    value = replace(binary, task="regression", threshold=None)
    assert difference(value, 50.0, value, 100.0) == difference(value, -100.0, value, -50.0) == 0.5
    assert difference(value, 0.0, value, 0.0) == 0.0
    assert difference(value, -1.0, value, 1.0) == 2.0
    three = replace(value, task="multiclass", classes=("a", "b", "c"))
    two = replace(three, classes=("c", "a"))
    assert difference(three, [0.2, 0.3, 0.5], two, [0.6, 0.4]) == pytest.approx(0.3)  # of b, which one does not know
    assert same_decision(three, [0.2, 0.3, 0.5], two, [0.6, 0.4]) is True
    assert same_decision(three, [0.2, 0.3, 0.5], two, [0.4, 0.6]) is False
