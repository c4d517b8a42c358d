"""The PyTorch backend."""

from d2lconv.core.manifest import Cost, Manifest, Release

manifest = Manifest(
    name="torch",
    framework="PyTorch",
    modules=("torch",),
    aliases=("pytorch",),
    type_roots=("torch",),
    extra="torch",
    variables=("TORCH", "PYTORCH_"),
    releases=(Release("torch", "2.5", "2.13"),),
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=27.7, step=3.25, output=1450.0, work=352.0),
        Cost("native", fixed=25.7, step=0.0, output=2730.0, work=0.0, up_to=(3, 20480)),
        Cost("native", fixed=109.0, step=155.0, output=10800.0, work=0.0),
        Cost("banded", fixed=35.0, step=19.8, output=3900.0, work=17.3),
        Cost("matmul", fixed=19.4, step=0.0, output=0.0, work=713.0),
        Cost("fft", fixed=80.4, step=0.0, output=8580.0, work=47.1),
    ),
)
