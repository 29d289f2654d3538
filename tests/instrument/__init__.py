"""Tests of `instrument`."""
