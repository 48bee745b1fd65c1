"""The features that a model sees, in their order, and the on-demand functions among them."""
