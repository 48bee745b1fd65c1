"""The online store as serving reads it: values of keys, over connections to Redis that are kept."""
