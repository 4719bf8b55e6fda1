"""``python -m simulator``."""

import sys

# Worker processes import this module, too, under another name.
if __name__ == "__main__":
    try:
        # It takes a while, within which Ctrl-C is no reason for a traceback.
        from simulator.cli.main import main

        exit_code = main()
    except KeyboardInterrupt:
        exit_code = 130
    sys.exit(exit_code)
