from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from shared_features.errors import DefinitionError
from training.definitions import Model, NumberRange, OneOf, Search, WholeRange
from training.definitions.search import BUILT_IN_PARAMETERS
from training.models.candidates import built_in_steps
from training.models.task_rules import MODELS, RULES


def wrong(value: object) -> Any:
    """For a type checker, right."""
    return value


def tuned(columns, seed, strength=1.0, penalty="l2"):
    return LogisticRegression(C=strength, penalty=penalty)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: WholeRange(3, 3), r"WholeRange\(3, 3\): the first has to be less than the second"),
        (lambda: NumberRange(0, 1, log=True), r"NumberRange\(0, 1\): with log=True, both have to be above 0"),
        (lambda: WholeRange(wrong(1.5), 3), "low is 1.5"),
        (lambda: OneOf(("a",)), "give two different values or more"),
        (lambda: OneOf(("a", "b", "a")), "give two different values or more, each once"),
        (lambda: Search({}), r"name what is tried, such as \{\"max_depth\": WholeRange\(2, 8\)\}"),
        (lambda: Search({"a": wrong((1, 2))}), r"space\['a'\] is .*; give a WholeRange, a NumberRange or OneOf"),
        (lambda: Search({"a": WholeRange(1, 2)}, trials=0), r"Search\(trials=0\): give 1 or more"),
        (lambda: Search({"a": WholeRange(1, 2)}, folds=0), r"Search\(folds=0\): give 1 or more"),
        (lambda: Search({"a": WholeRange(1, 2)}, minutes=0), r"Search\(minutes=0\): give more than 0"),
    ],
)
def test_a_search_that_cannot_be_is_refused_with_what_to_write(make, says):
    with pytest.raises(DefinitionError, match=says):
        make()


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ({"tunde": Search({"strength": NumberRange(0.1, 1)})}, "search names 'tunde'.* Did you mean 'tuned'"),
        (
            {"tuned": Search({"strenth": NumberRange(0.1, 1)})},
            "tuned has no parameter 'strenth'.* Did you mean 'strength'",
        ),
        ({"tuned": wrong(3)}, r"search\['tuned'\] is 3; give a Search"),
    ],
)
def test_a_search_of_what_a_model_does_not_have_is_refused(search, says):
    with pytest.raises(DefinitionError, match=says):
        Model("m", "v", candidates=(tuned,), search=search)


def test_a_function_may_have_parameters_of_its_own_where_each_has_a_default():
    assert Model("m", "v", candidates=(tuned,)).search == {}

    def without_default(columns, seed, strength):
        return None

    without_default.__qualname__ = "without_default"
    with pytest.raises(DefinitionError, match=r"parameter strength of .* has no default; write strength="):
        Model("m", "v", candidates=(without_default,))


def test_a_candidate_that_is_built_in_is_searched_by_the_parameters_of_its_estimator():
    search = {"hist_gradient_boosting": Search({"learning_rate": NumberRange(0.01, 0.3, log=True)})}
    assert Model("m", "v", search=search).search == search


@pytest.mark.parametrize("name", MODELS)
def test_a_misspelt_parameter_of_a_built_in_candidate_is_refused_when_it_is_defined(name):
    """It was told after the dataset had been built."""
    with pytest.raises(
        DefinitionError, match=rf"search: {name} has no parameter 'randm_state'; .* mean 'random_state'"
    ):
        Model("m", "v", candidates=(name,), search={name: Search({"randm_state": WholeRange(1, 2)})})


@pytest.mark.parametrize("name", MODELS)
def test_the_parameters_that_a_definition_knows_are_those_of_the_estimators(name):
    tasks = [task for task, rules in RULES.items() if name in rules.models]
    found = {each for task in tasks for each in built_in_steps(name, 10, 0, task)[-1][1].get_params()}
    assert set(BUILT_IN_PARAMETERS[name]) == found
