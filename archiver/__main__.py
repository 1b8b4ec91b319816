"""`python -m archiver` is `archiver`."""

import sys

from archiver.cli.main import main

sys.exit(main())
