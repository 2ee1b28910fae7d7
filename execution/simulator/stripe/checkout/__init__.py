"""What is to be paid: customers, Checkout Sessions and Payment Links."""
