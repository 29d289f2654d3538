"""Proof by differential testing: what shapelint claims, against eager PyTorch and brute force, repeatable by a seed."""
