"""Runs: asking the model, following the answer, accounting for it."""
