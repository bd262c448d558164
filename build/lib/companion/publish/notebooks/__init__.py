"""From a chapter's Markdown to executed notebooks, committed pairs and records."""
