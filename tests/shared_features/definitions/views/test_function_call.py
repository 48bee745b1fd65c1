"""A call of an on-demand function: a text is given as `Texts`, and what is raised names the function."""

from typing import Any

import numpy as np
import pytest

from shared_features import Texts
from shared_features.definitions import Input, ViewFeature, call_function
from shared_features.errors import OnDemandError
from shared_features.kernel.hashing import text_codes


def test_a_text_is_given_as_texts_and_a_number_as_it_is() -> None:
    seen: list[Any] = []
    column = ViewFeature("seen", (Input("plan", is_text=True), Input("price")), lambda *given: seen.extend(given))
    call_function(column, (text_codes(["gold"]).astype(float), np.ones(1)))
    assert isinstance(seen[0], Texts)
    assert (seen[0] == "gold").tolist() == [True]
    assert seen[1].tolist() == [1.0]


def test_what_is_raised_names_the_function_in_one_line() -> None:
    def sharper(price: Any) -> Any:
        raise ValueError("no table\nfor it")

    with pytest.raises(OnDemandError, match=r"^on-demand function 'sharper' raises ValueError: no table for it$"):
        call_function(ViewFeature("sharper", (Input("price"),), sharper), (1.0,))
