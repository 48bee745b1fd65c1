"""The small domain with groups that know its payers by another name, and together with a shop."""

from dataclasses import replace

from shared_features.definitions import Entity, FeatureView
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_USE

__all__ = ["OUTCOMES", "PAYER", "PAYMENTS", "SHOP_USE"]
BUYER = replace(PAYER, name="buyer", entity=Entity("buyer", keys=("payer",)))
REGULAR = replace(PAYER, name="regular", entity=Entity("regular", keys=("shop", "payer")))
NUMBERS = tuple(each for group in (PAYER, BUYER, REGULAR) for each in group.features if not each.is_text)
VIEW = FeatureView(name="view", version=1, source=PAYMENTS, features=(*NUMBERS, SHOP_USE))
