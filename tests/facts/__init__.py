"""Tests of `facts`."""
