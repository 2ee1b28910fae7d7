"""PayPal on its stage."""
