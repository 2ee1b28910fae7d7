"""Between a client and a vendor's API: the log of every request, and the faults of a bad day."""
