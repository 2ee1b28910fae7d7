"""Accounts, items and payments of the books, and records that are withdrawn from them."""
