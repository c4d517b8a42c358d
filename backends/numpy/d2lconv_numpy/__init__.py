"""The NumPy backend: the reference, and the default when nothing is chosen."""

from d2lconv.manifest import Deviation, Manifest, Release

manifest = Manifest(
    name="numpy",
    framework="NumPy",
    modules=("numpy",),
    aliases=("np",),
    type_roots=(),  # NumPy arrays are neutral data: every backend takes them
    releases=(Release("numpy", "1.26", "2.4"),),
    deviations=(
        Deviation("autodiff", "NumPy does not differentiate", raises="does not differentiate"),
        Deviation("builtin", "NumPy has no layers of its own", raises="no convolutional layer"),
    ),
)
