"""The MXNet backend, with Gluon."""

from d2lconv.manifest import Deviation, Manifest, Release

_NO_FFT = "MXNet has no Fourier transform on the CPU"

manifest = Manifest(
    name="mxnet",
    framework="MXNet",
    modules=("mxnet",),
    aliases=("mx",),
    type_roots=("mxnet",),
    extra="mxnet",
    releases=(
        Release("mxnet", "1.9.1", "1.9.1"),
        Release("numpy", "1.26", "1.26", "; d2lconv gives MXNet a view of it that works"),
    ),
    hint="MXNet has wheels for Linux (x86-64, aarch64) and macOS (x86-64) only.",
    deviations=(
        Deviation("fft", _NO_FFT, raises="no Fourier transform"),
        Deviation("autodiff/fft", _NO_FFT, raises="no Fourier transform"),
        Deviation(
            "autodiff/loop",
            "MXNet does not record assignments into an array",
            raises="Inplace operations",
        ),
    ),
)
