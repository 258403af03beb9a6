class Unreadable(Exception):
    """The text says why, for the model."""
