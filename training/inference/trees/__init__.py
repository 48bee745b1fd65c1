"""The trees of a graph: read from ONNX, compiled, and compared with what ONNX Runtime gives."""
