"""PayPal behind the `Provider` protocol: `declaration.py` says how it is opened."""
