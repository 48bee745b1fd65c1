"""Trees of a model as machine code: their sums and what is answered for them, in ONNX Runtime's order and type."""
