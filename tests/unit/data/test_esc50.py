"""A miniature of ESC-50, as a folder of recordings."""

import numpy as np
import pytest
import soundfile

from channel_sparsity.data.esc50 import convert
from channel_sparsity.data.meta import read_list
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.data.splits import official_split
from channel_sparsity.files import StudyError

META = """filename,fold,target,category,esc10,src_file,take
1-100-A-0.wav,1,0,dog,True,100,A
1-100-B-0.wav,1,0,dog,True,100,B
2-300-A-0.wav,2,0,dog,True,300,A
1-200-A-11.wav,1,11,sea_waves,True,200,A
2-400-A-11.wav,2,11,sea_waves,True,400,A
2-500-A-37.wav,2,37,clock_alarm,False,500,A
3-600-A-37.wav,3,37,clock_alarm,False,600,A
"""


@pytest.fixture
def esc50(tmp_path):
    for folder in ("meta", "audio"):
        (tmp_path / "ESC-50" / folder).mkdir(parents=True)
    (tmp_path / "ESC-50/meta/esc50.csv").write_text(META)
    for line in META.splitlines()[1:]:
        soundfile.write(tmp_path / "ESC-50/audio" / line.split(",")[0], np.full(441, 0.1), 44100)
    return tmp_path / "ESC-50"


def test_each_clip_is_listed_with_its_class_recording_and_fold(esc50, tmp_path):
    assert convert(esc50, tmp_path / "clips", esc10=False) == 7
    clips = read_folder(tmp_path / "clips", ["a"]).set_index("filename")
    assert clips.loc["audio/1-100-B-0.wav", ["scene", "city", "location"]].tolist() == ["dog", "fold1", "100"]
    assert clips["identifier"].value_counts()["fold1-100"] == 2, "takes of one recording share a place"
    assert all(path.is_symlink() for path in (tmp_path / "clips/audio").iterdir())


def test_esc10_is_its_subset(esc50, tmp_path):
    assert convert(esc50, tmp_path / "clips", esc10=True) == 5
    assert set(read_folder(tmp_path / "clips", ["a"])["scene"]) == {"dog", "sea_waves"}


def test_the_folds_are_official_splits(esc50, tmp_path):
    convert(esc50, tmp_path / "clips", esc10=True)
    clips = read_folder(tmp_path / "clips", ["a"])
    listing = tmp_path / "clips/evaluation_setup/fold1_train.csv"
    subset = official_split(clips, read_list(listing), str(listing))
    assert set(clips.loc[subset == "validation", "city"]) == {"fold1"}
    assert set(clips.loc[subset == "train", "city"]) == {"fold2"}


def test_what_is_no_esc50_or_would_be_written_over_is_named(esc50, tmp_path):
    (tmp_path / "clips").mkdir()
    with pytest.raises(StudyError, match="clips is there already"):
        convert(esc50, tmp_path / "clips", esc10=False)
    (esc50 / "audio/1-100-A-0.wav").unlink()
    with pytest.raises(StudyError, match=r"audio lacks '1-100-A-0.wav': unpack"):
        convert(esc50, tmp_path / "new", esc10=False)
    for content in (META.replace("src_file", "source").encode(), b"", b"\xff\xfe"):
        (esc50 / "meta/esc50.csv").write_bytes(content)
        with pytest.raises(StudyError, match=r"esc50\.csv cannot be read .*: name the folder of ESC-50"):
            convert(esc50, tmp_path / "new", esc10=False)
    with pytest.raises(StudyError, match=r"esc50\.csv cannot be read .*: name the folder of ESC-50"):
        convert(tmp_path, tmp_path / "new", esc10=False)
    assert not (tmp_path / "new").exists()
