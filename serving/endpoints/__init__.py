"""What the service answers over HTTP: predictions, health, the OpenAPI document and the docs page."""
