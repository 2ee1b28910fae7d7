"""The receiver: webhooks, submitted forms and the customer's pages."""
