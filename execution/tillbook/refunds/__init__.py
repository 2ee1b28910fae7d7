"""Money goes back: which payment, how much, of what."""
