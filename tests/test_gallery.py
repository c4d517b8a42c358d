"""Public questions, answered: each by a comparison that is run."""

import pytest

from d2lconv.parity import gallery

REPORTS = gallery.reports()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.number)
def test_a_public_question_gets_its_answer(report):
    found = report.run()
    assert found.verdict == report.verdict, found
    assert report.cause is None or report.cause in found.causes, found
    assert report.cause is not None or found.causes == (), found


def test_there_are_enough_and_each_once():
    numbers = [report.number for report in REPORTS]
    assert len(set(numbers)) == len(numbers) >= 15


def test_each_names_its_issue():
    links = {report.number: report.link for report in REPORTS}
    assert links["pytorch#170016 (2)"] == "https://github.com/pytorch/pytorch/issues/170016"
    # No tracker, and two whose addresses are people's names.
    without = [number for number, link in links.items() if link is None]
    assert without == ["X4", "nn-transfer#16", "nobuco#2"]
