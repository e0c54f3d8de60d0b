from channel_sparsity.tables.saving import table


def test_what_rows_lack_is_missing_no_words_or_a_count_of_0():
    made = table([{"r": None, "more": 1}, {"n": 2, "reason": "few"}], {"n": int, "r": float, "reason": str})
    assert made.drop(columns="r").values.tolist() == [[0, ""], [2, "few"]] and made["r"].isna().all()
