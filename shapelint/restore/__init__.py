"""The user's code leaves nothing behind: what a run changes in the process, the module and the random numbers."""
