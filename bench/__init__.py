"""What the gateway costs, side by side with the leanest servers that do the same job."""
