"""Where data of an entity lies, and how it is erased there."""
