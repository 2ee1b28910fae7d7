"""What makes the simulated world as hard as the real one: habits of the vendors, rates, and other people."""
