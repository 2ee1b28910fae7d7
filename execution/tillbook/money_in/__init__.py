"""A vendor told us something: it is kept, read by id, and recorded as facts."""
