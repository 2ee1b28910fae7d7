"""How PayPal is spoken to: calls, amounts, times and refusals."""
