"""What Stripe holds for the business, and what it sends to its bank."""
