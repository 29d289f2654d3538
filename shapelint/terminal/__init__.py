"""What is printed or written, how far a check has come, and what ends it from outside. No torch here."""
