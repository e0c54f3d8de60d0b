"""How many clips a data set must have."""

from collections.abc import Mapping

from channel_sparsity.files import StudyError


def check_expected(clips_per_scene: Mapping[str, int], expected: Mapping, what: str) -> None:
    """Compare the number of clips of each scene with a data set's `expected`; StudyError says where they differ.

    `what` begins the sentence: the file or folder that the clips are counted in.
    """
    clips, each = expected.get("clips"), expected.get("clips_per_scene")
    wrong = [f"{count} of {scene}" for scene, count in clips_per_scene.items() if each not in (None, count)]
    if wrong:
        raise StudyError(
            f"{what} has {', '.join(wrong)}, not {each} of each scene: complete it, or change the data set's `expected`"
        )
    if clips not in (None, found := sum(clips_per_scene.values())):
        raise StudyError(f"{what} has {found} clips, not {clips}: complete it, or change the data set's `expected`")
