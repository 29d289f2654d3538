"""Edits of the source that are tried before they are proposed."""
