"""What every floor may use: errors, ids, callers, paging, settings, JSON."""
