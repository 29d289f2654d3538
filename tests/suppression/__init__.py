"""Tests of `suppression`."""
