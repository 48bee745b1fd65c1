"""What history says of a category is the value that was sent or stored, and never that it is missing."""

import numpy as np

from shared_features.kernel.hashing import text_codes
from streaming.operations.history.category_values import category_values
from tests.domains.visits import COMES_AGAIN


def test_categories_have_their_own_values():
    surgery, elsewhere = text_codes(["surgery", "elsewhere"]).tolist()
    texts = {"ward": np.array(["surgery", "surgery", None], object)}
    codes = np.array([[surgery, 1, surgery, 3], [surgery, 0, elsewhere, -1], [np.nan] * 4])
    first, second, third = category_values(COMES_AGAIN, texts, codes)
    names = [column.name for _, column in COMES_AGAIN.categories]
    assert list(first.items()) == list(zip(names, ["surgery", True, "surgery", 3], strict=True))
    assert list(second.values()) == ["surgery", False, f"text with code {elsewhere}", -1]
    assert list(third.values()) == [None] * 4
