"""``python -m provrepo`` is the command ``provrepo``."""

from provrepo.cli.main import main

if __name__ == "__main__":
    main()
