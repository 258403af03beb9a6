"""Servers to be measured against: as little as can do the job with the usual libraries."""
