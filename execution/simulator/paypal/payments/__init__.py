"""Money that came in, goes back or is questioned: captures, refunds and disputes."""
