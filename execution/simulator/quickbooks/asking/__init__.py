"""What can be asked about the company: queries, changes, reports, and several things at once."""
