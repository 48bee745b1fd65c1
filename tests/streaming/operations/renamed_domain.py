"""The small domain after its source of payments was given another name, with raised versions of what reads it."""

from dataclasses import replace

from shared_features.definitions import FeatureView
from tests.streaming import small_domain

PAYMENTS = replace(small_domain.PAYMENTS, name="payments_again")
OUTCOMES = small_domain.OUTCOMES
PAYER = replace(small_domain.PAYER, version=2, sources=(PAYMENTS,))
SHOP_RISK = small_domain.SHOP_RISK
SHOP_USE = replace(small_domain.SHOP_USE, version=2, sources=(PAYMENTS, OUTCOMES))
PAYER_NUMBERS = tuple(each for each in PAYER.features if not each.is_text)
VIEW = FeatureView(name="view", version=2, source=PAYMENTS, features=(*PAYER_NUMBERS, SHOP_RISK, SHOP_USE))
