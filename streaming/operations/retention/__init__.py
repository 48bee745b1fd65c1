"""Old days of the events tables go, unless something still needs them."""
