"""What the service does beside answering: indexing and clips in processes of their own."""
