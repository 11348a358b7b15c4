"""The HTTP server: handlers parse a request, make one call on the caller's repository, and render the result."""
