"""From a training dataset to a certified model: candidates, evaluation, ONNX export, certificate."""
