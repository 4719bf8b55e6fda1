"""``python -m simulator``."""

import sys

from simulator.cli.main import main

# Worker processes import this module, too, under another name.
if __name__ == "__main__":
    sys.exit(main())
