"""A library in one file of one machine: SQLite is the truth, and FAISS a cache of its vectors."""
