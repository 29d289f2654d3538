"""One check as data: done in another process, watched, remembered."""
