"""Redacted copies of documents: parts are withheld, and what remains is true and valid."""
