"""The PyTorch backend."""

from d2lconv.manifest import Manifest

manifest = Manifest(
    name="torch",
    framework="PyTorch",
    modules=("torch",),
    aliases=("pytorch",),
    type_roots=("torch",),
    extra="torch",
)
