import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.models.boosting.boosted_estimators import boosted_estimators, library_of, settle


def test_an_estimator_of_scikit_learn_is_of_none_of_the_libraries():
    assert library_of(LogisticRegression()) == ""
    assert list(boosted_estimators(make_pipeline(LogisticRegression()))) == []


@pytest.mark.deep
@pytest.mark.usefixtures("libraries")
def test_what_a_library_would_take_from_the_machine_is_settled_unless_the_function_says_it():
    from catboost import CatBoostClassifier
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    held = [XGBClassifier(), LGBMClassifier(n_jobs=2), CatBoostClassifier(verbose=100)]
    settle([CalibratedClassifierCV(held[0]), make_pipeline(held[1]), held[2]])
    assert [library_of(each) for each in boosted_estimators(held)] == ["xgboost", "lightgbm", "catboost"]
    assert held[0].get_params()["n_jobs"] == 1
    assert (held[1].get_params()["n_jobs"], held[1].get_params()["verbose"]) == (2, -1)
    assert held[2].get_params() == {"verbose": 100, "thread_count": 1, "allow_writing_files": False}
