"""Where closed files go: the local folder, an S3 bucket, memory (for tests); and the journal of what has to go up.

`put` of each of them returns only what was compared with what the store really holds. Foreign errors end here: others
see `StoreError`, `StoreAuthError`, `StoreSetupError`, `StoreConflict` and `StoreRejection`.
"""

from archiver.store.files import StoreConflict, StoreRejection
from archiver.store.local import LocalStore
from archiver.store.memory import MemoryRemote, MemoryStore
from archiver.store.s3 import S3Store
from archiver.store.s3client import S3Settings
from archiver.store.spool import SpoolFile, SpoolJournal, segment_files, spool_file
from archiver.store.uploader import Drained, Uploader, UploadLimits

__all__ = [
    "Drained",
    "LocalStore",
    "MemoryRemote",
    "MemoryStore",
    "S3Settings",
    "S3Store",
    "SpoolFile",
    "SpoolJournal",
    "StoreConflict",
    "StoreRejection",
    "UploadLimits",
    "Uploader",
    "segment_files",
    "spool_file",
]
