"""Random encoder-decoders as source text, and their comparison with eager PyTorch."""
