"""The features of one entity that are computed and stored together."""
