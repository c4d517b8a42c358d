"""The PyTorch backend."""

from d2lconv.manifest import Manifest, Release

manifest = Manifest(
    name="torch",
    framework="PyTorch",
    modules=("torch",),
    aliases=("pytorch",),
    type_roots=("torch",),
    extra="torch",
    releases=(Release("torch", "2.5", "2.13"),),
)
