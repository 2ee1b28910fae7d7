"""The pages where a customer pays."""
