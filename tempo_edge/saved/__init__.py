"""Saved searches: kept in a library, and told of where new footage matches them."""
