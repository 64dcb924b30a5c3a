"""The decoder: its layers, how it begins, how it answers, and its ONNX graph."""
