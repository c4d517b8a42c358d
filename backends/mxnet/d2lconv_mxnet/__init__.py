"""The MXNet backend, with Gluon."""

from d2lconv.manifest import Manifest

manifest = Manifest(
    name="mxnet",
    framework="MXNet",
    modules=("mxnet",),
    aliases=("mx",),
    type_roots=("mxnet",),
    extra="mxnet",
    hint="MXNet has wheels for Linux (x86-64, aarch64) and macOS (x86-64) only.",
)
