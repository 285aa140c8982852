import pytest
from small_training import TEACHER, save_teacher_of


@pytest.fixture(scope='session')
def teacher_file(tmp_path_factory):
    """Random weights for SegFormer-T, which teaches SCTNet-T."""
    return save_teacher_of(tmp_path_factory.mktemp('teacher') / 'teacher.pth', TEACHER)
