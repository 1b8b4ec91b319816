"""One frozen, checked `Config`; how it is read; where things lie.

`load` and `for_save` put layers together (command line, environment, YAML, the user's own file, defaults). The keys
stand on the fields of `model`, one documented line each; `docs/operator/config.md` is printed from them. The
environment is read in `environment` alone.
"""

from archiver.config.checks import contact_needed, is_own
from archiver.config.contact import store_contact
from archiver.config.environment import Environment, cache_folder, from_environment
from archiver.config.identity import PRODUCT, Identity, read_contact
from archiver.config.load import for_save, load, with_contact, without_seeds
from archiver.config.model import (
    Basis,
    Config,
    Job,
    Limits,
    Network,
    Pace,
    Seed,
    SeedRules,
    Timeouts,
    WarcInfo,
)
from archiver.config.places import Places
from archiver.config.secret import Secret
from archiver.config.storage import Storage

__all__ = [
    "PRODUCT",
    "Basis",
    "Config",
    "Environment",
    "Identity",
    "Job",
    "Limits",
    "Network",
    "Pace",
    "Places",
    "Secret",
    "Seed",
    "SeedRules",
    "Storage",
    "Timeouts",
    "WarcInfo",
    "cache_folder",
    "contact_needed",
    "for_save",
    "from_environment",
    "is_own",
    "load",
    "read_contact",
    "store_contact",
    "with_contact",
    "without_seeds",
]
