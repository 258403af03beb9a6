"""Topics and fan-out: durable events from the log, and messages between workers."""
