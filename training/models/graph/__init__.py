"""The ONNX graph of a model: exported from a pipeline, or brought from another framework."""
