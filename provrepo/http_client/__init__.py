"""A client for one HTTP server: bounded, without redirects, with the errors of this package."""

from provrepo.http_client.client import HttpClient
from provrepo.http_client.messages import Answer, Stream, media_type, server_url

__all__ = ["Answer", "HttpClient", "Stream", "media_type", "server_url"]
