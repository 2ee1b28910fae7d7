"""Facts reach QuickBooks as documents."""
