"""Tests of shapelint.spec."""
