"""Trees of a graph as machine code: their sums in ONNX Runtime's order and type, and what compares the two."""
