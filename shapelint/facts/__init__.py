"""What is known of a model, as plain data that rules and reports read; nothing here runs anything."""
