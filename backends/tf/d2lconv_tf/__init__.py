"""The TensorFlow backend, with Keras 3."""

from d2lconv.manifest import Cost, Deviation, Manifest, Release

manifest = Manifest(
    name="tf",
    framework="TensorFlow",
    modules=("tensorflow", "keras"),
    aliases=("tensorflow", "keras"),
    type_roots=("tensorflow", "keras"),
    extra="tf",
    forks=False,  # its threads are not there, and it waits for them
    releases=(Release("tensorflow", "2.20", "2.21"), Release("keras", "3", "3.15")),
    quiet=(("TF_CPP_MIN_LOG_LEVEL", "3"), ("TF_ENABLE_ONEDNN_OPTS", "0")),
    deviations=(
        Deviation("values/subnormal", "TensorFlow flushes subnormal numbers to zero"),
        Deviation(
            "autodiff/loop",
            "assignments to a tf.Variable are not differentiated, and the gradient is None",
            raises="NoneType",
        ),
    ),
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=752.0, step=5.02, output=654.0, work=229.0),
        Cost("native", fixed=753.0, step=0.0, output=98900.0, work=1020.0),
        Cost("banded", fixed=679.0, step=54.0, output=11000.0, work=163.0),
        Cost("fft", fixed=728.0, step=0.0, output=3460.0, work=1900.0),
    ),
)
