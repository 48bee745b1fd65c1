"""The path of a view's predictions. Clients take it from here too, and load nothing else of the service."""

PREDICT_START, PREDICT_END = "/v1/views/", ":predict"
PREDICT_PATH = PREDICT_START + "{view}" + PREDICT_END
