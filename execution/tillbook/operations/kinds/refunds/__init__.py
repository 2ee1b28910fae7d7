"""Money goes back, and what the books hold of it."""
