"""The service's way in: its sockets, its HTTP server, and the guard before every request."""
