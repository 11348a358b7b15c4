"""Readers of the records of other tools. Each is a row of the table of formats (``provrepo.codecs.formats``).

The submitted bytes are the records of the tool. A better mapping applies to all of them after ``provrepo rebuild``.
"""
