"""Money that goes back or may have to: refunds and disputes."""
