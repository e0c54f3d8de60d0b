"""What a job wrote is what the next one reads, or one sentence names the file."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_sparsity.bookkeeping.checksums import record, refuse_moved, verify, verify_folder
from channel_sparsity.files import StudyError


@pytest.fixture
def written(tmp_path):
    """A job's outputs, one of them a folder, and their record."""
    (tmp_path / "audio/deep").mkdir(parents=True)
    for name, content in {"curve.csv": b"a,b\n1,2\n", "audio/a.wav": b"RIFF", "audio/deep/b.wav": b""}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "timing.csv").write_text("seconds\n1\n")
    record([tmp_path / "curve.csv", tmp_path / "timing.csv", tmp_path / "audio"], "prune")
    return tmp_path


def test_the_record_is_what_sha256sum_reads_and_leaves_times_out(written):
    comment, *lines = (written / "prune.sha256").read_text().splitlines()
    assert comment.startswith("# ")
    assert lines[0] == f"{hashlib.sha256(b'a,b' + bytes([10]) + b'1,2' + bytes([10])).hexdigest()}  curve.csv"
    assert [line.split("  ")[1] for line in lines] == ["curve.csv", "audio/a.wav", "audio/deep/b.wav"]
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", "prune.sha256"], cwd=written, check=True)


@given(st.data())
def test_any_changed_byte_and_any_lost_tail_is_named(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("study")
    content = data.draw(st.binary(min_size=1, max_size=50))
    file = folder / "logmel.h5"
    file.write_bytes(content)
    record([file], "extract")
    verify([file])
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = bytes([content[place] ^ 1 << data.draw(st.integers(0, 7))])
    damaged = [content[:place], content[:place] + flipped + content[place + 1 :], content + b"\0"]
    file.write_bytes(data.draw(st.sampled_from(damaged)))
    with pytest.raises(StudyError, match=r"logmel.h5 is not as it was written.*delete it"):
        verify([file])


def test_a_file_in_a_folder_that_is_an_input_is_compared(written):
    verify([written / "audio", written / "curve.csv"])
    (written / "audio/deep/b.wav").write_bytes(b"x")
    verify([written / "curve.csv"])
    with pytest.raises(StudyError, match=r"audio/deep/b.wav is not as it was written.*: delete \S+/audio and"):
        verify([written / "audio"])
    (written / "audio/deep/b.wav").unlink()
    with pytest.raises(StudyError, match=r"audio/deep/b.wav is missing.*: delete \S+/audio and run again"):
        verify([written / "audio"])


def test_a_file_of_the_users_own_passes(written):
    (written / "mine.csv").write_text("anything")
    verify([written / "mine.csv", written / "timing.csv"])
    assert verify_folder(written) == {written / "curve.csv", written / "audio/a.wav", written / "audio/deep/b.wav"}


@pytest.mark.parametrize(
    "damage",
    [lambda text: "", lambda text: text[:40], lambda text: "\0" * len(text), lambda text: text.replace("  ", "  ../")],
)
def test_a_damaged_record_is_named(written, damage):
    path = written / "prune.sha256"
    path.write_text(damage(path.read_text()))
    with pytest.raises(StudyError, match=r"prune.sha256 is damaged: delete it"):
        verify([written / "curve.csv"])
    with pytest.raises(StudyError, match=r"prune.sha256 is damaged: delete it"):
        verify_folder(written)


def test_a_record_that_is_just_being_written_is_not_read(written):
    """Nor one that a killed job has left half-written; 19 curves read the weights beside which WS is recorded."""
    (written / ".other.abcdefgh.sha256").touch()
    verify([written / "curve.csv"])
    refuse_moved(written)
    assert len(verify_folder(written)) == 3
    record([written / "curve.csv"], "trace")
    assert (written / ".other.abcdefgh.sha256").exists() and not (written / "prune.sha256").exists()


def test_a_damaged_record_of_another_job_costs_no_finished_work(written):
    (written / "prune.sha256").write_text("")
    (written / "else.csv").write_text("else")
    record([written / "else.csv"], "else")
    assert (written / "else.sha256").exists()


def test_what_another_job_wrote_anew_has_no_second_record(written):
    (written / "curve.csv").write_text("new")
    (written / "else.csv").write_text("else")
    record([written / "else.csv"], "else")
    record([written / "curve.csv"], "trace")
    assert not (written / "prune.sha256").exists() and (written / "else.sha256").exists()
    verify([written / "curve.csv"])


def test_a_cell_is_what_its_files_say(tmp_path, monkeypatch):
    """A folder under another's name is named wherever its files are read; a study elsewhere is the same study."""
    monkeypatch.chdir(tmp_path)
    cells = [Path(f"results/tiny/{where}/vgg11/lambda-{lam}/seed-1") for where in ("train", "prune") for lam in "02"]
    for cell in cells:
        cell.mkdir(parents=True)
        (cell / "curve.csv").write_text(str(cell))
        record([cell / "curve.csv"], "job")
    for one, other in (cells[:2], cells[2:]):
        verify([one / "curve.csv", other / "curve.csv", Path("results/tiny/../tiny", *one.parts[2:], "curve.csv")])
        exchange(one, other)
        with pytest.raises(StudyError, match=rf"{one} holds the files of {'/'.join(other.parts[2:])}: folders have"):
            verify([one / "curve.csv"])
        for check in (verify_folder, refuse_moved):
            with pytest.raises(StudyError, match=r"holds the files of"):
                check(Path("results/tiny").absolute())
        exchange(one, other)
    Path("results").rename("elsewhere")
    assert len(verify_folder(Path("elsewhere/tiny"))) == 4


def exchange(one, other):
    """Give two folders each other's names."""
    one.rename(one.with_name("between"))
    other.rename(one)
    one.with_name("between").rename(other)
