"""The estimators of XGBoost, LightGBM and CatBoost that a pipeline holds, and what they take from a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sklearn.base import BaseEstimator

BOOSTING_LIBRARIES = ("xgboost", "lightgbm", "catboost")
"""The modules that such estimators come from, and what the libraries are called."""
_SETTLED: Mapping[str, Mapping[str, Any]] = {
    "xgboost": {"n_jobs": 1},
    "lightgbm": {"n_jobs": 1, "verbose": -1},
    "catboost": {"thread_count": 1, "allow_writing_files": False},
}


def library_of(estimator: Any) -> str:
    """Which of the libraries an estimator is of; empty where it is of none."""
    modules = (each.__module__.partition(".")[0] for each in type(estimator).__mro__)
    return next((each for each in modules if each in BOOSTING_LIBRARIES), "")


def settle(part: Any) -> None:
    """What their library would take from the machine, or write beside the run, where nobody says it: in place.

    One thread, because more add up floats in another order, and a run on another machine gives another model.
    """
    for each in boosted_estimators(part):
        given = each.get_params()
        wanted = {name: value for name, value in _SETTLED[library_of(each)].items() if given.get(name) is None}
        if library_of(each) == "catboost" and not {"verbose", "silent", "logging_level", "verbose_eval"} & set(given):
            wanted["verbose"] = False
        each.set_params(**wanted)


def given_categories(part: Any) -> str:
    """The parameter by which an estimator of CatBoost was told of categories of its own; empty where none was."""
    for each in boosted_estimators(part):
        named = each.get_params()
        for parameter in ("cat_features", "text_features", "embedding_features"):
            if library_of(each) == "catboost" and named.get(parameter) is not None:
                return parameter
    return ""


def boosted_estimators(part: Any) -> Iterator[Any]:
    """Whatever it holds of these libraries, to any depth."""
    return _estimators(part, set())


def _estimators(part: Any, seen: set[int]) -> Iterator[Any]:
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, list | tuple):
        held: Any = part
    elif isinstance(part, dict):
        held = part.values()
    elif library_of(part):
        yield part
        return
    elif isinstance(part, BaseEstimator) or type(part).__module__.startswith("sklearn.calibration"):
        held = vars(part).values()
    else:
        return
    for each in held:
        yield from _estimators(each, seen)
