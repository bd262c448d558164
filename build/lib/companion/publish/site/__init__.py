"""From executed notebooks to the checked site."""
