"""Connections of the server: what is read from them, how long it may take, and how many there may be."""
