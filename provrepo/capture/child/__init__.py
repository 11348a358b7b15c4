"""Code that runs inside other programs: ``provrepo run`` puts this folder on their path."""
