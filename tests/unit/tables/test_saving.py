import json

import pandas

from channel_sparsity.files import sha256
from channel_sparsity.tables.saving import origin, table, write_table


def test_what_rows_lack_is_missing_no_words_or_a_count_of_0():
    made = table([{"r": None, "more": 1}, {"n": 2, "reason": "few"}], {"n": int, "r": float, "reason": str})
    assert made.drop(columns="r").values.tolist() == [[0, ""], [2, "few"]] and made["r"].isna().all()


def test_a_table_is_three_files_that_belong_together(tmp_path):
    source = tmp_path / "source.csv"
    source.write_text("a\n")
    paths = [tmp_path / f"mine.{suffix}" for suffix in ("csv", "html", "json")]
    made = pandas.DataFrame({"measure": ["gini", "hoyer"], "r": [0.123456789, 0.5], "r_low": [0.1, None]})
    made_from = origin({"study": "x"}, {"rule": "0123"}, [source])
    write_table(paths, made, made.iloc[:1].replace({"measure": {"gini": "Gini index"}}), "Title", "A note.", made_from)
    assert pandas.read_csv(paths[0])["r"].tolist() == [0.123456789, 0.5]
    page = paths[1].read_text()
    assert "Gini index" in page and "0.12" in page and "hoyer" not in page and "<h1>Title</h1>" in page
    assert json.loads(paths[2].read_text()) == {
        "table": "mine.csv",
        "sha256": sha256(paths[0]),
        "configuration": {"study": "x"},
        "code": {"rule": "0123"},
        "made_from": {str(source): sha256(source)},
    }
