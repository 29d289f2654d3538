"""From a module and its inputs to a partition of all input sizes."""
