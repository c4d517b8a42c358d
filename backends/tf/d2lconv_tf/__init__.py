"""The TensorFlow backend, with Keras 3."""

from d2lconv.manifest import Deviation, Manifest, Release

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
)
