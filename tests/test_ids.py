from __future__ import annotations

import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

from archiver.ids import new_capture_id, new_record_id


def test_ids_are_random_uuids() -> None:
    made = [uuid.UUID(new_record_id().removeprefix("urn:uuid:")) for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}
    for bit in set(range(128)) - {48 + n for n in range(4)} - {64, 65}:
        assert 300 < sum(one.int >> (127 - bit) & 1 for one in made) < 700, bit


def test_threads_never_get_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [one for batch in pool.map(lambda _: [new_record_id() for _ in range(500)], range(16)) for one in batch]
    assert len(set(made)) == 8000


def test_capture_ids_are_uuids_of_version_4_in_hex() -> None:
    made = new_capture_id()
    assert uuid.UUID(made).hex == made
    assert uuid.UUID(made).version == 4


FORKING = """
import os
from archiver.ids import new_capture_id, new_record_id
new_record_id()
if os.fork() == 0:
    os.write(1, (" ".join(new_record_id() for _ in range(100)) + "\\n").encode())
    os._exit(0)
os.wait()
os.write(1, (" ".join(new_record_id() for _ in range(100)) + "\\n").encode())
"""


def test_a_forked_process_draws_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=60)
    assert len(set(done.stdout.split())) == 200
