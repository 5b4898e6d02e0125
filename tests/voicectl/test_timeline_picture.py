from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation

from tests.voicectl.timelines import answer
from voicectl.timeline import read
from voicectl.timeline_picture import draw, picture


def text_of(label: Any) -> str:  # noqa: ANN401 - what is found has no type
    text: str = label.get_text()
    return text


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_labels_do_not_overlap_and_stay_in_the_picture(*, is_confirmed: bool) -> None:
    found = read(answer(confirmed=is_confirmed, sound=True))
    figure = draw(found)
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    labels = {mark.label for mark in found.marks}
    shown = [each for each in figure.findobj(Annotation) if text_of(each) in labels]
    boxes = [each.get_window_extent(renderer) for each in shown]

    assert len(boxes) == len(found.marks)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    page = figure.bbox
    assert all(page.x0 < box.x0 and box.x1 < page.x1 and box.y1 < page.y1 for box in boxes)
    beyond = figure.texts[0].get_window_extent(renderer)
    assert not any(box.overlaps(beyond) for box in boxes)


def test_both_kinds_of_file_are_made_also_of_a_closed_microphone() -> None:
    assert picture(read(answer()), "png").startswith(b"\x89PNG")
    svg = picture(read(answer(frames=False)), "svg")

    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - it is ours
