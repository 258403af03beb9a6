"""Work that no caller waits at the door with: jobs of the queue, and what is due by the clock."""
