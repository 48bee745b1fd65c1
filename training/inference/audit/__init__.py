"""The audit of the prediction log: whether what was answered comes out again, and why not."""
