"""Settings of glibc's allocator by which freed memory stays with a process."""

# Otherwise each large array is faulted in anew, at every training step and for every clip. Measured on two cores:
# training is 0 to 25 % faster at 101 frames and no faster at the demo's 26; docs/reference/benchmarks.md has the
# features. Results do not depend on it. They must be in the environment before a process starts.
KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
