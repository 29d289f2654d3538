"""Tests of `size`."""
