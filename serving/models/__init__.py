"""The models that answer: the versions that an alias of the registry names."""
