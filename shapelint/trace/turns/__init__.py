"""Loops whose number of turns is a size."""
