"""An order comes in and becomes an invoice and a page where it can be paid."""
