"""The user's Python compiled again for the time of a check, so that no size is lost in silence."""
