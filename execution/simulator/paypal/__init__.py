"""PayPal on localhost: its API, the page where payers approve, its webhooks and its reports."""
