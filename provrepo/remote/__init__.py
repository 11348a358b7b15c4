"""A repository at a distance: a server over HTTP, with the methods and records of ``Repository``."""
