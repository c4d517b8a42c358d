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
    costs=(  # estimates from single runs; `d2lconv bench --fit` fits them
        Cost("exact", fixed=0.0, step=12.0, output=560.0, work=998.0),
        Cost("native", fixed=21.0, step=0.0, output=14100.0, work=175.0),
        Cost("banded", fixed=21.1, step=53.3, output=4510.0, work=15.6),
        Cost("fft", fixed=180.0, step=0.0, output=18300.0, work=0.0),
    ),
)
