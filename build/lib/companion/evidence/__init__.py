"""What the reports state, what was recorded, and what became of it: ledger, records, verdicts."""
