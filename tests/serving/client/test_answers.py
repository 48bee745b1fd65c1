"""The client's structs have the members of the endpoint's answer, under the same names in the same order."""

import pytest
from msgspec.structs import fields

from serving.answer import answer
from serving.client import answers


@pytest.mark.parametrize("name", ["Answer", "ModelName", "Prediction"])
def test_no_member_of_an_answer_is_left_out(name):
    members, known = ([each.encode_name for each in fields(getattr(module, name))] for module in (answer, answers))
    assert known == members
