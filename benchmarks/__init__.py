"""How long a check takes, as ratios to other work on the same machine in the same run: `python -m benchmarks`."""
