"""The company file: its entities, their balances, and how it begins."""
