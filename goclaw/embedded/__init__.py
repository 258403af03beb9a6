"""What the host runs beside the workers: a database and a small model, each its own process."""
