"""What happens when a customer pays: cards, payment intents, charges, and the fee that appears later."""
