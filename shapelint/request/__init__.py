"""What is asked of a check: inputs, sizes, options, settings and comments, as plain data."""
