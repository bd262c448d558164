"""What readers carry away: the zip and the PDF."""
