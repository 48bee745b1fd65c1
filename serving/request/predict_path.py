"""The path of a view's predictions, and what one request may hold. Clients take them from here, and nothing else."""

PREDICT_START, PREDICT_END = "/v1/views/", ":predict"
PREDICT_PATH = PREDICT_START + "{view}" + PREDICT_END

EXPLAINED_AT_MOST = 20
"""Instances of one request. An explanation is for a person, and takes about a hundred times as long as a prediction."""
