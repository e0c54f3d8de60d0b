"""What a network sees of the log-mel store."""

import numpy
import pandas
import pytest
import torch

from channel_sparsity.data.store import open_store
from channel_sparsity.files import StudyError, write_csv
from channel_sparsity.training.features import in_batches, load_subsets


def paths(study):
    return [study / name for name in ("logmel.h5", "split.csv", "normalisation.json")]


def test_labels_count_the_scenes_in_alphabetical_order(study):
    train, validation, scenes = load_subsets(*paths(study))
    assert scenes == ["bus", "park", "tram"]
    assert [scenes[label] for label in train.labels] == ["tram", "bus", "park", "park"]
    assert [scenes[label] for label in validation.labels] == ["tram", "bus"]
    assert (train.rows.tolist(), validation.rows.tolist()) == ([0, 1, 3, 5], [2, 4])


def test_a_batch_is_normalised_band_by_band(study):
    train, _, _ = load_subsets(*paths(study))
    features, labels = train.batch(torch.tensor([3, 0]))
    expected = (open_store(study / "logmel.h5").logmel[[5, 0]] + 20) / 4
    numpy.testing.assert_allclose(features[:, 0].numpy(), expected, rtol=1e-6)
    assert labels.tolist() == [1, 2]


def test_a_split_of_other_clips_is_named(study):
    split = pandas.read_csv(study / "split.csv")
    write_csv(study / "split.csv", split.iloc[:-1])
    with pytest.raises(StudyError, match=r"split\.csv lists other clips than .*logmel\.h5"):
        load_subsets(*paths(study))


def test_a_store_that_a_gpu_has_no_room_for_is_named(study, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 900.00 MiB")

    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(StudyError, match=r"logmel\.h5 does not fit into the free memory of the GPU: let fewer jobs"):
        load_subsets(*paths(study))


@pytest.mark.parametrize(
    ("most", "sizes"), [(128, [4]), (4, [4]), (3, [2, 2]), (1, [1, 1, 1, 1])], ids=lambda value: str(value)
)
def test_batches_are_as_equal_as_can_be_and_hold_every_clip_once(study, most, sizes):
    train, _, _ = load_subsets(*paths(study))
    batches = in_batches(train, most)
    assert [len(which) for which in batches] == sizes
    assert torch.cat(batches).tolist() == [0, 1, 2, 3]
