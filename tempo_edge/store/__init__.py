"""What a library is: a catalogue in SQLite, which is the truth, and a cache of its vectors."""
