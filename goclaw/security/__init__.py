"""Credentials, secrets at rest, the guarded client."""
