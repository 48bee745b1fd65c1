"""How good a model is beside another one, in each slice, and whether its scores are what they say."""
