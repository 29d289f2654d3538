"""What a project's source says of its models: read, and never imported or run."""
