"""The workflow of a durable run: its steps, which of them are done at once, and the processes that do them."""
