"""Make d2lconv/widgets/lenet.npz, the network that reads what a reader draws.

    python .github/lenet.py

It trains LeNet as `d2lconv train --epochs 10` does, which takes minutes. The bits are the same in
every framework; the variable D2LCONV_BACKEND says in which one it runs.
"""

from pathlib import Path

import d2lconv as dc


def main() -> None:
    """Train, and save the parameters where the widget looks for them."""
    net = dc.LeNet(activation="tanh", pool="max")
    images, labels = dc.digits()
    dc.train(
        net, images, labels, lr=0.2, epochs=10, batch_size=32, validation=dc.digits(train=False)
    )
    dc.save(net, Path(__file__).parent.parent / "d2lconv" / "widgets" / "lenet.npz")


if __name__ == "__main__":
    main()
