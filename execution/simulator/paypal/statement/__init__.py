"""PayPal's own account of the money: the rows, and the reports on them."""
