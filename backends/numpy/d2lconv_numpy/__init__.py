"""The NumPy backend: the reference, and the default when nothing is chosen."""

from d2lconv.core.manifest import Cost, Deviation, Manifest, Release

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
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=123.0, step=6.32, output=4590.0, work=1060.0),
        Cost("native", fixed=170.0, step=0.0, output=28800.0, work=480.0),
        Cost("banded", fixed=280.0, step=16.5, output=10900.0, work=28.6),
        Cost("fft", fixed=156.0, step=0.0, output=26700.0, work=997.0),
    ),
)
