"""The tale that ships."""

from __future__ import annotations

from wmlearn.data import tales


def test_the_tale_has_twelve_chapters_without_headings() -> None:
    chapters = tales.chapters()
    assert len(chapters) == tales.CHAPTERS
    assert not any("CHAPTER" in chapter for chapter in chapters)
    assert chapters[0].strip().startswith("Alice was beginning to get very tired")
    assert chapters[-1].strip().endswith("the happy summer days.")


def test_every_word_of_the_tale_is_known() -> None:
    words = tales.tale_words()
    assert all(words.known(chapter) for chapter in tales.chapters())
    assert words.known(tales.REFRAIN)


def test_extra_words_come_first() -> None:
    assert tales.tale_words(("<7>",)).words[2] == "<7>"
