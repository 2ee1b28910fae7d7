"""What Stripe tells us unasked: is it genuine, and what is it about."""
