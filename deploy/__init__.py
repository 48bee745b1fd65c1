"""How Millrace runs: images, dashboards, and the embedded parts of the demo and the tests."""
