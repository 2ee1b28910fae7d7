"""Facts go into the ledger here, with the entries, documents and messages that they call for."""
