"""How a result lies in memory, on which depends what a view allows."""
