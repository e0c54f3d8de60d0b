"""Settings of glibc's allocator by which freed memory stays with a process."""

# Otherwise each large array is faulted in anew: at every training step, and for every clip. Measured in
# docs/benchmarks.md; results do not depend on it. They must be in the environment before a process starts.
KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
