"""How a name is compared with that of a field: columns of files and members of objects are spelled in many ways."""

from __future__ import annotations

import re


def spelling(name: str) -> str:
    """What two names share that mean the same: `Order ID`, `order.id` and `order_id`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
