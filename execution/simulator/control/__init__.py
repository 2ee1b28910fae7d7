"""`/_control`: what a test or a demonstration may do to the simulated world."""
