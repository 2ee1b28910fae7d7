"""QuickBooks Online on localhost: OAuth, the accounting API, and a company file with figures to start from."""
