"""PayPal behind the `Provider` protocol: others take `provider` from here."""
