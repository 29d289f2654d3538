"""The door for editors: the Language Server Protocol over the same checks that the command line does."""
