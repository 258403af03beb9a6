"""What strangers wrote, read in a process of its own that has nothing and can be ended."""
