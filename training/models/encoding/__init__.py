"""Encoders as they are fitted, each with its part of the ONNX graph."""
