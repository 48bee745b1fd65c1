"""Other domains than the reference one: the same programs run them, unchanged."""
