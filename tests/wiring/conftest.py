"""A crawled collection, as the checks of fixity have it."""

from tests.fixity.conftest import crawled as crawled
from tests.fixity.conftest import root as root
