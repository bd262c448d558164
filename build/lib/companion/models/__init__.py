"""Networks that more than one chapter uses."""
