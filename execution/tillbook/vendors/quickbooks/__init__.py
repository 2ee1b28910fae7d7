"""QuickBooks Online behind the `Books` protocol."""
