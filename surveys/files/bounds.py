"""What a process that reads strangers' files may use; the kernel ends it where it wants more."""

from __future__ import annotations


def bound(memory: int, seconds: int, written: int) -> None:
    """Bound this process: bytes of memory, seconds of the processor, bytes of a file it writes.

    Only Unix can.
    """
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
