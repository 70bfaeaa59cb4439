"""``python -m patscan``."""

import sys

from patscan.cli import main

if __name__ == "__main__":
    sys.exit(main())
