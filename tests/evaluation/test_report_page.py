import re

import cv2
import numpy as np
import pytest

from sctnet.evaluation.report_page import ReportPage

NAMES = ['road', '<sky>', 'train']


@pytest.fixture
def page():
    return ReportPage('t', NAMES, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])


def test_classes_come_best_first_and_those_without_a_pixel_last(page):
    iou = np.array([20.0, 90.0, np.nan])
    page.class_bars(iou, iou, np.array([80.0, 20, 0]), np.array([40.0, 60, 0]))
    text = page.render()
    assert text.index('&lt;sky&gt;') < text.index('road') < text.index('train')
    (row,) = [line for line in text.splitlines() if 'road' in line]
    assert re.findall(r'width:([\d.]+)%', row) == ['20.0', '20.0', '100.0', '50.0']
    assert 'rgb(1,2,3)' in row
    (row,) = [line for line in text.splitlines() if 'train' in line]
    assert row.startswith('<tr class="absent">')
    assert row.count('&ndash;') == 2


def test_confusions_have_numbers_and_say_what_they_are(page):
    shares = np.array([[0.9, 0.1, 0], [0.004, 0.996, 0], [np.nan] * 3])
    page.confusion_table(shares)
    cells = re.findall(r'<td[^>]*>([^<]*)</td>', page.render())
    assert cells == ['90', '10', '', '', '100', '', '', '', '']
    assert 'title="road as &lt;sky&gt;: 10.00%"' in page.render()
    assert '<sky>' not in page.render()


def test_scores_legend_and_panels(page):
    png = cv2.imencode('.png', np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    page.scores([('mIoU', 12.345), ('mAcc', float('nan'))])
    page.legend([2, 0])
    page.panels('<x>.png', [(png, 'image')], wide=False)
    page.panels('y.png', [(png, 'image')], wide=True)
    text = page.render()
    assert '<b>12.35</b>mIoU' in text or '<b>12.34</b>mIoU' in text
    assert '<b>&ndash;</b>mAcc' in text
    assert text.index('train') < text.index('road')
    assert '<h3>&lt;x&gt;.png</h3>' in text
    assert text.count('<div class="panels four">') == 1
    assert text.count('<div') == text.count('</div>')
    assert text.count('<style>') == 1
