"""The tests of shapelint."""
