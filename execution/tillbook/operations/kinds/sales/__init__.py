"""Customers, invoices and the pages where they are paid."""
