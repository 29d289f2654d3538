"""Confirmation by another engine: what torch.onnx exports, onnxruntime runs."""
