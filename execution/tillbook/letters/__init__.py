"""What customers and owners hear, by mail."""
