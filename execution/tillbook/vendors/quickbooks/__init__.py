"""QuickBooks Online behind the `Books` protocol: others take `books` from here."""
