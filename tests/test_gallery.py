"""Public questions, answered: each by a comparison that is run."""

import pytest

from d2lconv.parity import gallery

REPORTS = gallery.reports()
NUMBERS = """
pytorch#170016
pytorch#170016 (2)
keras#16511
keras#16511 (2)
jax#11790
keras#19291
keras#16363
flax#2993
tensorflow#18213
tensorflow#105829
tensorflow#32079
flax#963
tensorflow#127346
pytorch#129649
pytorch#107514
tensorflow#19200
tensorflow#117663
pytorch#72512
mxnet#10194
mxnet#2753
onnx-tensorflow#83
tvm#1144
tensorflow#45579
pytorch#183528
pytorch#116420
d2l-en#1271
the book, 7.3
nnvm#308
mxnet#8557
nn-transfer#16
nn-transfer#16 (2)
pytorch#7028
keras#10443
nobuco#2
jax#11252
ml_dtypes#63
""".strip().splitlines()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.number)
def test_a_public_question_gets_its_answer(report):
    found = report.run()
    assert found.verdict == report.verdict, found
    assert report.cause is None or report.cause in found.causes, found
    assert report.cause is not None or found.causes == (), found


def test_the_gallery_has_these_each_once():
    assert [report.number for report in REPORTS] == NUMBERS


def test_each_names_its_issue():
    links = {report.number: report.link for report in REPORTS}
    assert links["pytorch#170016 (2)"] == "https://github.com/pytorch/pytorch/issues/170016"
    # No tracker, and two whose addresses are people's names.
    without = [number for number, link in links.items() if link is None]
    assert without == ["the book, 7.3", "nn-transfer#16", "nn-transfer#16 (2)", "nobuco#2"]
