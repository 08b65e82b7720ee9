"""img2dataset: ``python run_img2dataset.py URLS FOLDER MODE``, in an environment that has it.

Modes: ``256`` (bordered to 256 px, its default), ``verified`` (originals, decoded once) and
``unverified`` (originals as they come).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from img2dataset import download

MODES = {
    "256": {"image_size": 256, "resize_mode": "border"},
    "verified": {"resize_mode": "no", "skip_reencode": True},
    "unverified": {"disable_all_reencoding": True},
}

if __name__ == "__main__":
    urls, folder, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    imports_cpu_s = time.process_time()
    started = time.perf_counter()
    download(
        url_list=str(urls),
        output_folder=str(folder),
        processes_count=2,
        thread_count=16,
        output_format="files",
        number_sample_per_shard=1250,  # both processes have work
        **MODES[mode],
    )
    took_s = time.perf_counter() - started
    worked_cpu_s = time.process_time()
    rows = [row for file in folder.glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    # Addresses, as the bytes are its own encoding.
    kept = [row["url"] for row in rows if row["status"] == "success"]
    report_cpu_s = time.process_time() - worked_cpu_s
    said = {
        "seconds": took_s,
        "imports_cpu_s": imports_cpu_s,
        "report_cpu_s": report_cpu_s,
        "kept": kept,
    }
    sys.stdout.write(json.dumps(said) + "\n")
