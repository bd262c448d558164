"""What is done once, on a new machine or for a new repository."""
