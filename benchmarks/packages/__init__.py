"""Networks of real packages, and how their contracts agree with eager PyTorch."""
