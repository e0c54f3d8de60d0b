"""The user's own files: which have become others, and that what is gone has not."""

import os

from channel_sparsity.bookkeeping.recordings import changes, digest, states


def test_what_changed_is_named_and_what_is_gone_is_not(tmp_path):
    table, clips = tmp_path / "meta.csv", [tmp_path / f"{number}.wav" for number in range(6)]
    for path in (table, *clips):
        path.write_text(path.name)
        os.utime(path, (2e9, 2e9))
    noted = states([table], clips)
    assert changes(noted, noted) == ""
    for path in (table, clips[0]):
        path.write_text(path.name[::-1])
        os.utime(path, (1e9, 1e9))
    now = states([table], clips)
    assert digest(now, noted) != digest(noted, noted)
    assert changes(now, noted).startswith(f"{table} has another content; {clips[0]} was 5 bytes of 2033-05-1")
    clips[1].unlink()
    clips.append(tmp_path / "6.wav")
    for path in clips[2:]:
        path.touch()
    assert changes(states([table], clips), noted).endswith("; and 5 more")
    assert "6.wav is new" in changes(states([table], clips), noted, most=9)
    assert "1.wav is gone" in changes(states([table], clips), noted, most=9)
    gone = states([tmp_path / "elsewhere"], [])
    assert digest(gone, noted) == digest(noted, {}) and changes(gone, noted) == ""


def test_the_same_content_under_another_time_stamp_is_the_same_table(tmp_path):
    table = tmp_path / "meta.csv"
    table.write_text("a")
    before = states([table], [table])
    table.touch()
    after = states([table], [table])
    assert before["tables"] == after["tables"] and before["recordings"] != after["recordings"]
