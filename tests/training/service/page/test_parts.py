"""Parts of the page: names that are too long for their column."""

from training.service.page.parts import numbers


def test_a_long_name_breaks_behind_an_underscore_and_stays_one_piece_beside_its_number() -> None:
    shown = numbers({"average_precision_of_candidates": 0.63351})
    assert "<span>average_<wbr>precision_<wbr>of_<wbr>candidates</span>" in shown
    assert '<span class="number">0.6335</span>' in shown
