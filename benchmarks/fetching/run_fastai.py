"""The lesson's way: ``download_images``, ``verify_images``, remove what fails.

``python run_fastai.py URLS FOLDER WORKERS``, in an environment that has fastai.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

from fastai.vision.utils import download_images, get_image_files, verify_images

if __name__ == "__main__":
    urls = Path(sys.argv[1]).read_text().split()
    folder = Path(sys.argv[2])
    imports_cpu_s = time.process_time()
    started = time.perf_counter()
    download_images(folder, urls=urls, max_pics=len(urls), n_workers=int(sys.argv[3]))
    failed = verify_images(get_image_files(folder))
    failed.map(Path.unlink)
    took_s = time.perf_counter() - started
    worked_cpu_s = time.process_time()
    # get_image_files goes by the name's ending; what else lies there is no image to a training.
    files = get_image_files(folder)
    kept = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    report_cpu_s = time.process_time() - worked_cpu_s
    said = {
        "seconds": took_s,
        "imports_cpu_s": imports_cpu_s,
        "report_cpu_s": report_cpu_s,
        "kept": kept,
    }
    sys.stdout.write(json.dumps(said) + "\n")
