"""Tests of `saved`."""
