"""The MXNet backend, with Gluon."""

from d2lconv.core.manifest import Cost, Deviation, Manifest, Release

_NO_FFT = "MXNet has no Fourier transform on the CPU"
_EVEN = "MXNet's layers have the same padding on both sides"

manifest = Manifest(
    name="mxnet",
    framework="MXNet",
    modules=("mxnet",),
    aliases=("mx",),
    type_roots=("mxnet",),
    extra="mxnet",
    variables=("MXNET_", "DMLC_"),
    releases=(
        Release("mxnet", "1.9.1", "1.9.1"),
        Release("numpy", "1.26", "1.26", "; d2lconv gives MXNet a view of it that works"),
    ),
    hint="MXNet has wheels for Linux (x86-64, aarch64) and macOS (x86-64) only.",
    deviations=(
        Deviation("fft", _NO_FFT, raises="no Fourier transform"),
        Deviation("autodiff/fft", _NO_FFT, raises="no Fourier transform"),
        *(
            Deviation(f"own/layers/{name}", _EVEN, raises="the same padding on both sides")
            for name in ("same", "sides")
        ),
    ),
    costs=(  # fitted by `d2lconv bench --fit`, exact without what runs as one program
        Cost("exact", fixed=66.0, step=30.2, output=9010.0, work=911.0),
        Cost("native", fixed=115.0, step=11000.0, output=0.0, work=1070.0),
        Cost("banded", fixed=2180.0, step=142.0, output=14800.0, work=164.0),
    ),
)
