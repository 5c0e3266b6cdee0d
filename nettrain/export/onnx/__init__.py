"""ONNX: a trained model, its transforms and its labels as one graph (extra `onnx`)."""
