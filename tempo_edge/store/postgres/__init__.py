"""A library for a team: rows and vectors in PostgreSQL, with pgvector."""
