"""The PyTorch backend."""

from d2lconv.manifest import Cost, Manifest, Release

manifest = Manifest(
    name="torch",
    framework="PyTorch",
    modules=("torch",),
    aliases=("pytorch",),
    type_roots=("torch",),
    extra="torch",
    releases=(Release("torch", "2.5", "2.13"),),
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=17.1, step=3.79, output=1060.0, work=264.0),
        Cost("native", fixed=20.9, step=0.0, output=4350.0, work=157.0),
        Cost("matmul", fixed=16.0, step=0.0, output=0.0, work=300.0),
        Cost("banded", fixed=23.3, step=19.9, output=2850.0, work=16.1),
        Cost("fft", fixed=70.8, step=0.0, output=7390.0, work=0.0),
    ),
)
