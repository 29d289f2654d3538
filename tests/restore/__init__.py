"""Tests of `restore`."""
