"""What the service answers over HTTP, and how it reads what it is asked."""
