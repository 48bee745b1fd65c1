"""The way to the registry of MLflow and back, through its client, which is imported when it is asked."""
