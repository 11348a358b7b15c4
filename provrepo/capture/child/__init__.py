"""What runs in other programs, where ``provrepo run`` puts this folder on their path."""
