"""The version of the package (SemVer)."""

__all__ = ["__version__"]

__version__ = "0.2.0"
