"""The NumPy backend: the reference, and the default when nothing is chosen."""

from d2lconv.manifest import Manifest

manifest = Manifest(
    name="numpy",
    framework="NumPy",
    modules=("numpy",),
    aliases=("np",),
    type_roots=(),  # NumPy arrays are neutral data: every backend takes them
)
