"""Findings that nobody wants to hear of: ignore comments, and the baseline."""
