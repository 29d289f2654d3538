"""One run: its calls, what is known of its tensors, and how it ends."""
