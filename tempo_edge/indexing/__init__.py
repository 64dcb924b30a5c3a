"""How a library comes to be: files are found, read and kept, once or as they change."""
