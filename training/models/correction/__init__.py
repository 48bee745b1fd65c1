"""What a fitted model's probabilities become before they are answered, and the same in the ONNX graph."""
