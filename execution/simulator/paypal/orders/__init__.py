"""What is to be paid: orders, who pays them, and the page where they approve."""
