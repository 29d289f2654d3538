"""The map of the sizes that work, as a picture and in a terminal."""
