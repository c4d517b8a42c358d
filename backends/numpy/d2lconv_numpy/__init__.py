"""The NumPy backend: the reference, and the default when nothing is chosen."""

from d2lconv.manifest import Cost, Deviation, Manifest, Release

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
    costs=(  # estimates from single runs; `d2lconv bench --fit` fits them
        Cost("exact", fixed=152.0, step=6.64, output=9050.0, work=1350.0),
        Cost("native", fixed=200.0, step=0.0, output=31300.0, work=1090.0),
        Cost("banded", fixed=286.0, step=27.6, output=15200.0, work=35.9),
        Cost("fft", fixed=183.0, step=0.0, output=0.0, work=3210.0),
    ),
)
