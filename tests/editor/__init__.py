"""Tests of `editor`."""
