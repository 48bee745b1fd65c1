import pytest

from shared_features.errors import DefinitionError
from training.definitions import EarlyStopping


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"share": 0}, r"share=0\): give more than 0 and at most 0.5, such as 0.1"),
        ({"share": 0.6}, r"share=0.6\): give more than 0 and at most 0.5"),
        ({"patience": 0}, r"patience=0\): give 1 or more, such as 20"),
        ({"patience": "long"}, "patience is 'long'"),
        ({"rounds": 5}, "there is no option 'rounds'"),
    ],
)
def test_early_stopping_that_cannot_be_is_refused_with_what_to_write(options, says):
    with pytest.raises(DefinitionError, match=says):
        EarlyStopping(**options)
