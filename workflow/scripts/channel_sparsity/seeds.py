"""One root seed, split by purpose, so that a result never depends on what ran before it."""

import hashlib


def derive(seed: int, *purpose: str | int) -> int:
    """A seed of 63 bits for one purpose, e.g. ``derive(1, "vgg11", "epoch", 3)``.

    The split is a hash of the words rather than arithmetic on `seed`, so that neighbouring seeds share nothing. What
    is left out of `purpose` is shared: lambda and the pruning recipe never stand in it, which makes the study's
    comparisons paired.
    """
    words = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") >> 1
