"""What the contract of a model means for the next tool, as text that can be pasted."""
