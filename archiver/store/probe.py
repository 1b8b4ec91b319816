"""Whether a bucket takes a file, gives it back and lets go of it: one small object, before any crawl depends on it.

The first lines of `bucket check`, no more: `doctor` is asked often and is to be quick.
"""

from __future__ import annotations

import dataclasses

from archiver.clock import SYSTEM, Clock
from archiver.errors import StoreError
from archiver.store.bucketobjects import looked_at, read, written
from archiver.store.buckettrial import BAD, Trial
from archiver.store.s3client import S3Settings, S3Timing

_QUICK = S3Timing(connect=5.0, read=15.0)


async def probe(settings: S3Settings, *, clock: Clock = SYSTEM) -> str:
    """Put an object under the prefix as uploads are, look at it and at one that is not there, read it, delete it.

    What remains of it as a sentence, else "": a key that may not delete is what a crawler should have. Raises
    StoreError that names the request, or what is wrong with the answer.
    """
    trial = Trial(dataclasses.replace(settings, timing=_QUICK), clock)
    try:
        for step in (written, looked_at, read):
            for line in await step(trial):
                if line.state == BAD:
                    fault = trial.mine.last.fault
                    await trial.clean()
                    raise fault.error if fault is not None else StoreError(f"{line.name}: {line.says}")
        await trial.clean()
    finally:
        trial.close()
    return f"{trial.left[0]} stays there: {trial.mine.last}" if trial.left else ""
