"""Processes of nettrain that are killed, or whose system calls fail, and what they leave."""
