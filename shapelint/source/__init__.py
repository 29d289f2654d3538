"""The user's text, never imported: spans, syntax, comments, whose a file is, and which file imports which module."""
