"""What can be asked about the company: queries, changes and reports; and batches."""
