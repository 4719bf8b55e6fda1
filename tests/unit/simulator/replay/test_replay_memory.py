import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import Table, parquet

MEGABYTE = 1 << 20
# Reads a small file, so that every library is loaded, and then a large one, in a process of its
# own; prints by how many bytes the latter raised the peak of its memory.
MEASURE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from simulator.replay.mapping_reading import parse_mapping
from simulator.replay.replaying import Replay, ReplayOptions, ShiftTo

def peak():
    # That of resource.getrusage is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

small, large = map(Path, sys.argv[2:4])
options = ReplayOptions(shift_to=ShiftTo(datetime.now(UTC)))
for path in (small, large):
    before = peak()
    replay = Replay([path], parse_mapping(sys.argv[1]), options)
    for _ in replay.messages():
        pass
assert replay.summary.events == int(sys.argv[4]), list(replay.summary.lines())
print(peak() - before)
"""
MAPPING = """
fields:
  transaction_id: {row_number: true}
  event_time: {column: time}
  amount: {column: amount}
  currency: {constant: EUR}
  payment_method: {constant: bank_transfer}
  payment_status: {constant: completed}
"""
TIME = "2026-01-31T12:00:00Z"
NOTE = "n" * 1000


def written(folder: Path, kind: str, rows: int) -> Path:
    path = folder / f"{rows}.{kind}"
    if kind == "csv":
        path.write_text("time,amount,note\n" + f"{TIME},1.50,{NOTE}\n" * rows)
    elif kind == "jsonl":
        path.write_text(f'{{"time": "{TIME}", "amount": 1.50, "note": "{NOTE}"}}\n' * rows)
    else:
        notes = [f"{number:x<1000}" for number in range(rows)]
        table = Table.from_pydict({"time": [TIME] * rows, "amount": [1] * rows, "note": notes})
        parquet.write_table(table, path, compression="none")
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_memory_stays_flat_on_a_large_file(tmp_path: Path, kind: str) -> None:
    small, large = written(tmp_path, kind, 3000), written(tmp_path, kind, 20_000)
    assert large.stat().st_size > 19 * MEGABYTE
    arguments = [MAPPING, str(small), str(large), "20000"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 10 * MEGABYTE
