"""The features of a request as of an earlier instant, from the stored events."""
