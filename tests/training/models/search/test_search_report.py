from training.models.search.hyper_parameters import Found, Trial
from training.models.search.search_report import search_facts, search_plot, trial_table

TRIALS = (
    Trial(0, {"depth": 3, "rate": 0.1}, [0.5, 0.7], 0.6),
    Trial(1, {"depth": 8, "rate": 0.25}, [None, 0.9], None),
    Trial(2, {"depth": 5, "rate": 0.05}, [0.8, 0.7], 0.75),
    Trial(3, {"depth": 5, "rate": 0.01}, [0.7, 0.7], 0.7),
)
FACTS = search_facts(Found("roc_auc", TRIALS, TRIALS[2]))


def test_the_facts_say_which_trial_is_best_and_have_every_trial():
    assert FACTS["best"] == 2
    assert (
        FACTS["says"]
        == "depth=5, rate=0.05 is the best of 4 trials: roc_auc 0.7500, mean of 2 time folds of the train window"
    )
    assert FACTS["trials"][1] == {
        "number": 1,
        "values": {"depth": 8, "rate": 0.25},
        "folds": [None, 0.9],
        "score": None,
    }


def test_the_table_marks_the_best_trial():
    head, rows = trial_table(FACTS)
    assert head == ("trial", "depth", "rate", "mean roc_auc")
    assert rows[1:3] == [("1", "8", "0.25", "no number"), ("2 (best)", "5", "0.05", "0.75000")]


def test_of_some_trials_the_table_has_the_best_and_none_without_a_number():
    assert [row[0] for row in trial_table(FACTS, 2)[1]] == ["2 (best)", "3"]
    assert [row[0] for row in trial_table(FACTS, 9)[1]] == ["2 (best)", "3", "0"]


def test_the_plot_has_a_point_for_each_number_and_a_line_that_never_falls():
    drawn = search_plot("boosted", FACTS)
    assert drawn.count("<circle") == 3
    assert "Search of boosted" in drawn
    assert "best so far" in drawn
