"""From rows and the stored bytes of their entities to the matrix of a model: what serving answers and the stream scores
alike.
"""
