from voiced.local.stories import STORIES

WORDS_PER_SECOND = 3.6
"""Of espeak-ng at its normal speed, measured on these texts."""


def test_each_story_takes_twenty_to_forty_seconds_to_tell() -> None:
    for story in STORIES:
        words = len(" ".join(story).split())
        assert 20 < words / WORDS_PER_SECOND < 40


def test_each_story_is_made_of_whole_sentences() -> None:
    for story in STORIES:
        for sentence in story:
            assert sentence.endswith((".", "?", "!"))
            assert len(sentence) < 240
