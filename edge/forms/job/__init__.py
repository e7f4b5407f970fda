"""A batch of pages to a table: ledger, workers, and what leaves the job folder."""
