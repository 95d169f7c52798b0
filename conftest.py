"""Notebooks that run as tests draw no bars and train every network, which other tests then remember."""

import atexit
import os
import shutil
import tempfile

os.environ["WMLEARN_QUIET"] = "1"
os.environ["WMLEARN_RETRAIN"] = "1"
if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers share the folder of the process that started them
    os.environ["WMLEARN_MEMORY"] = tempfile.mkdtemp(prefix="wmlearn-memory-")
    # larger pages for large tensors: the same numbers in a twentieth less time; glibc 2.35 and later know it
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    atexit.register(shutil.rmtree, os.environ["WMLEARN_MEMORY"], ignore_errors=True)
