"""Money moves at most once: an operation is written down, sent, and found again after a crash."""
