"""What runs reach out with."""
