"""What is wrong, with which layer, and what would make it right: facts found in graphs and contracts."""
