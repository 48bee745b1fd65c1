"""A request is about a subject by the fields of its instances; a text that is cut off, by what it still holds."""

import pytest

from streaming.operations.erasure.subjects.asked_about import AskedAbout
from streaming.operations.erasure.subjects.subject import Subject
from tests.domains.machines import MACHINE
from tests.streaming.small_domain import PAYER

PERSON = AskedAbout([Subject(PAYER.entity, (key,), frozenset({"payer"})) for key in ("77", "78")])
DEVICE = AskedAbout([Subject(MACHINE, ("plant|3", "m1"))])


@pytest.mark.parametrize(
    ("request_text", "is_asked"),
    [
        ('{"instances":[{"payer":77}]}', True),
        ('{"instances":[{"payer":5},{"payer":78,"shop":"77"}]}', True),
        ('{"instances":[{"payer":"077"}]}', True),
        ('{"instances":[{"payer":77.0}]}', True),
        ('{"instances":[{"payer":5,"shop":"77"}]}', False),
        ('{"instances":[{"shop":"77"}]}', False),
        ('{"instances":[{"payer":77},{"pay', True),
        ('{"instances":[{"payer":5},{"pay', False),
        ("{}", False),
        ("[1]", False),
    ],
)
def test_of_whole_numbers(request_text, is_asked):
    assert PERSON.is_in(request_text) == is_asked


@pytest.mark.parametrize(
    ("request_text", "is_asked"),
    [
        ('{"instances":[{"machine":"m1","plant":"plant\\u007c3"}]}', True),
        ('{"instances":[{"machine":"m1","plant":"other"}]}', False),
        ('{"instances":[{"machine":"m2","plant":"plant|3"},{"machine":"m1","plant":"p"}]}', False),
        ('{"instances":[{"machine":null,"plant":"plant|3"}]}', False),
    ],
)
def test_of_several_texts(request_text, is_asked):
    assert DEVICE.is_in(request_text) == is_asked
