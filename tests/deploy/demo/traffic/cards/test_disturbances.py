"""Shares of the traffic that comes late, twice or wrong."""

import pytest

from deploy.demo.traffic.cards.disturbances import Disturbances


def test_a_share_beyond_one_names_itself():
    with pytest.raises(ValueError, match="late is"):
        Disturbances(late=1.5)
