"""Words inside the names of columns that hint at what a column is."""

TIME_WORDS = {"time", "timestamp", "ts", "at", "date", "datetime", "when", "epoch", "created", "occurred"}
ID_WORDS = {"id", "uuid", "guid", "number", "no", "nr", "key", "ref", "code"}
KEY_WORDS = {
    "customer", "user", "account", "buyer", "seller", "client", "shopper", "visitor", "member", "patient", "driver",
    "sensor", "device", "machine", "host", "server", "station", "meter", "vehicle", "terminal", "merchant", "shop",
    "store", "product", "item", "session", "ip", "service", "player", "employee", "card",
}  # fmt: skip
LABEL_WORDS = {
    "label", "target", "fraud", "returned", "churn", "churned", "default", "defaulted", "outcome", "failed", "failure",
    "cancelled", "canceled", "converted", "clicked", "bought", "purchased", "spam", "anomaly", "anomalous", "accepted",
    "refunded", "disputed", "chargeback", "late", "defect", "defective", "broken", "alarm", "attack", "incident",
    "success", "won", "lost", "overheated",
}  # fmt: skip
ARRIVAL_WORDS = {
    "received", "ingested", "arrived", "arrival", "logged", "loaded", "processed", "recorded", "stored", "inserted",
    "synced", "uploaded", "collected",
}  # fmt: skip
SIGNED_WORDS = {
    "celsius", "fahrenheit", "temperature", "temp", "degrees", "balance", "change", "delta", "difference", "offset",
    "latitude", "longitude", "lat", "lon", "lng", "altitude", "elevation", "profit", "margin", "growth", "angle",
    "voltage", "acceleration", "velocity",
}  # fmt: skip
NUMBER_LABEL_WORDS = {"label", "target", "outcome"}
TEXT_LABEL_WORDS = {"label", "target", "outcome", "result", "verdict", "diagnosis"}
LATER_WORDS = {"updated", "modified", "closed", "resolved", "returned", "delivered", "ended", "finished", "known",
                "expires", "due", "born", "birth", "noted"}  # fmt: skip
