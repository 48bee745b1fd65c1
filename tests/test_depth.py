"""How long the tests search is asked for by one variable."""

import pytest

from tests.depth import VARIABLE, depth, searched


@pytest.mark.parametrize(("asked", "number"), [(None, 3), ("", 3), ("quick", 3), ("deep", 500)])
def test_a_search_is_long_only_where_that_is_asked_for(monkeypatch, asked, number) -> None:
    if asked is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, asked)
    assert searched(quick=3, deep=500) == number


def test_a_depth_that_there_is_not_is_refused(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "depe")
    with pytest.raises(ValueError, match="TEST_DEPTH is 'depe'"):
        depth()
