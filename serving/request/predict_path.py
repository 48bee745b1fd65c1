"""The paths of predictions and of features, and what one request may hold. Clients take them from here."""

PREDICT_START, PREDICT_END = "/v1/views/", ":predict"
PREDICT_PATH = PREDICT_START + "{view}" + PREDICT_END
FEATURES_PATH = PREDICT_START + "{view}:features"
READ_PATH = "/v1/groups/{group}:read"

EXPLAINED_AT_MOST = 20
"""Instances of one request. An explanation is for a person, and takes about a hundred times as long as a prediction."""
