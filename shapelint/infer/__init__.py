"""The input that nobody wrote down: read from what the project says, or found by trying the model itself."""
