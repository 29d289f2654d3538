"""Turns a repair into edits of source text, and writes them."""
