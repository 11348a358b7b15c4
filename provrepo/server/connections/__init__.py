"""TCP connections of the server: parsing of requests, deadlines, limits on their number, and request threads."""
