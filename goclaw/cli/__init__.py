"""The command line: a door like the others, and the one that owns the host it runs on."""
