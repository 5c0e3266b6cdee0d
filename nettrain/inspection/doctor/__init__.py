"""`nettrain doctor`: is this set-up able to learn? One check per file."""
