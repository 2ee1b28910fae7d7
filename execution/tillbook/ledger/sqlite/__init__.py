"""The SQLite file of the ledger, and its migrations."""
