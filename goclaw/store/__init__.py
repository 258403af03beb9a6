"""Every SQL statement."""
