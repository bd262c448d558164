"""What the pages of the book show beside the chapters' own text."""
