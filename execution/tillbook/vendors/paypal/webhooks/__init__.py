"""What PayPal tells us unasked: is it genuine, and what is it about."""
