"""What analysis promises in any language: spellings meet, English stays as it was."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from zlib import crc32

import pytest
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.columns.term_blobs import unpack_many_terms
from daybook.recall.evidence.matched_words import matched_spans, shared_words, words_asked
from daybook.recall.text.analysis import Analyzer
from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.text.traits import Trait
from daybook.recall.text.words import folded, spelled_words

ANALYZER = Analyzer()

ENGLISH = """\
Last spring we painted the kitchen, and my sister's twins "helped" with rollers twice their size.
Do you remember who recommended the carpenter? It's Joanna's uncle: he charged 450 dollars.
I've been running since March; the doctors say that my knees aren't worse than before.
Take care! We could meet at the cinema on Friday, or go to Los Angeles in two weeks' time.
She wants to die her hair blue (dye, sorry) - then she said: "I also don't know, but come on".
def total(items): return sum(item.price_eur for item in items)  # v2.0, a/b
"""
# Terms, lengths and traits of its lines as they were before other languages were known.
_AS_IT_WAS = "d7bf662b5663a230"


def terms(text: str) -> set[int]:
    """Return the hashes that an index would keep of `text`."""
    hashes, _, _ = unpack_many_terms([ANALYZER.analyse(text).terms])
    return set(hashes.tolist())


def meets(document: str, question: str) -> bool:
    """Return whether every word that a question asks for is met by the document."""
    held = terms(document)
    return all(
        held.intersection([*ANALYZER.stems(word), *ANALYZER.possible_stems(word)])
        for word in question.split()
    )


def test_english_is_analysed_as_it_always_was() -> None:
    seen = hashlib.sha256()
    for line in ENGLISH.splitlines():
        one = ANALYZER.analyse(line)
        seen.update(b"%s %d %d\n" % (one.terms, one.length, one.traits))
    assert seen.hexdigest()[:16] == _AS_IT_WAS


def old_words(text: str) -> list[str]:
    """Return the words that an analysis without other languages cut, in scripts it could cut."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("\u2019", "'"))
    bare = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f\ufe0f]", "", plain))
    return re.sub(r"[^\w']|_", " ", bare).split()


@pytest.mark.parametrize(
    "text",
    [
        "Wir ziehen im Herbst in eine Dachgeschosswohnung am Hafen um",
        "À la bibliothèque j'ai oublié mes clés et l'été est fini",
        "Łódź jest piękna, mieszkałam tam przez trzy lata",
        "Вчера я взяла кошку из приюта, её зовут Марта",
        "Χθες υιοθέτησα μια γάτα",
        "Søren møtte Zoë på café",
    ],
)
def test_what_older_indexes_hold_is_still_among_the_terms(text: str) -> None:
    english = Stemmer.Stemmer("english").stemWord
    old = {crc32(english(word).encode()) for word in old_words(text) if word not in STOP_WORDS}
    assert old <= terms(text)


def test_a_typographer_changes_nothing_in_english() -> None:
    typeset = ENGLISH.replace("'", "\u2019").replace(' "', " \u201c").replace('"', "\u201d")
    assert ANALYZER.analyse(typeset).terms == ANALYZER.analyse(ENGLISH).terms


_TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(
            "aeinrst äöüßñçéèœłøåşığ яиїьй αςά عربيةى אבגש हिन्दी ไทยก 漢國カｶあ한글 🎂👍🏽'?"
        ),
    ),
    max_size=24,
)


@given(_TEXTS)
def test_composed_and_decomposed_texts_have_the_same_terms(text: str) -> None:
    composed = ANALYZER.analyse(unicodedata.normalize("NFC", text))
    assert ANALYZER.analyse(unicodedata.normalize("NFD", text)) == composed


@given(_TEXTS)
def test_a_text_is_found_by_each_of_its_words(text: str) -> None:
    held = terms(text)
    for word in spelled_words(text):
        if folded(word) in STOP_WORDS:  # without accents it is little: alone it may mean more
            continue
        asked = ANALYZER.stems(word)
        assert not asked or held.intersection(asked)


@given(_TEXTS)
def test_a_text_is_found_by_itself(text: str) -> None:
    assert set(ANALYZER.stems(text)) <= terms(text)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("Ich habe meiner Oma eine Geburtstagstorte gebacken", "Torten"),
        ("Wir wohnen jetzt in den alten Häusern am Fluss", "Haus"),
        ("Ich suche den Schlüssel für das Büro", "Schluessel Buero buro"),
        ("Die Straße ist gesperrt und wir müssen warten", "Strasse"),
        ("J'ai acheté deux journaux à l'hôtel", "hotel journal achetée"),
        ("Las canciones de mi abuela no son tristes", "canción triste"),
        ("As informações que eu pedi não chegaram", "informação informacao"),
        ("Nella città ci sono molte chiese", "citta chiesa"),
        ("Ik heb in het ziekenhuis gewerkt", "huizen werken"),
        ("Jag har köpt en födelsedagstårta till henne", "tårta tarta"),
        ("Löysin sen kirjastosta ja luin sitä junassa", "kirjasto juna"),
        ("Nie mam tych książek, są w bibliotece", "książek ksiazek"),
        ("V neděli jsme byli na horách se psy", "hora nedele"),
        ("Kedilerimiz çok yaşlı ve hasta", "kedi yasli"),
        ("IŞIK SOKAĞI çok güzel bir yer", "ışık isik sokağı"),
        ("Οι γάτες παίζουν στους κήπους", "κηπος ΓΑΤΑ"),
        ("Мы купили новые велосипеды для детей", "велосипед"),
        ("Он ещё не приехал, самолёт задержали", "самолет"),
        ("Ми купили квитки на потяг", "квиток потяги"),
        ("هذه الكتب من المكتبة", "مكتبة كتب"),
        ("ذهبت إلى الإدارة أمس", "ادارة"),
        ("مُحَمَّد في الـمـدرسة", "محمد مدرسة"),
        ("כתבתי את זה במחברת של הילדים", "מחברות ילד"),
        ("שָׁלוֹם לכולם", "שלום"),
        ("این کتاب‌ها را از کتابخانه گرفتم", "كتاب کتابخانه"),
        ("मेरी किताबें मेज़ पर हैं", "किताब मेज"),
        ("เมื่อวานไปโรงพยาบาลกับแม่", "โรงพยาบาล"),
        ("Tôi thích ăn phở ở Hà Nội", "pho ha noi phở"),
        ("昨天我在圖書館看書", "图书馆"),
        ("我在图书馆学习中文", "圖書館"),
        ("ﾃﾚﾋﾞを買いました", "テレビ てれび"),
        ("Ｗｉ－Ｆｉがつながらない", "wi fi"),
        ("학교에서 친구를 만났어요", "학교 친구"),
        ("Alles Gute 🎂 !", "🎂"),
        ("Good job 👍🏽", "👍 👍🏿"),
        ("See you at seven 🍕", "pizza"),
        ("👩‍🚀 ist mein Traumberuf", "🚀 👩"),
    ],
)
def test_other_forms_and_spellings_meet(document: str, question: str) -> None:
    assert meets(document, question)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("Ich habe meiner Oma eine Geburtstagstorte gebacken", "Wohnung"),
        ("Мы купили новые велосипеды для детей", "машина"),
        ("Hello 🎂", "🍕"),
        ("你好世界", "图书馆"),
        ("I saw a smiling face 😀", "🎂"),
        ("हिन्दी", "हल"),
        ("The carpenter was here", "carpe"),
    ],
)
def test_other_words_do_not_meet(document: str, question: str) -> None:
    assert not meets(document, question)


@pytest.mark.parametrize("text", ["我的猫在哪里？", "أين قطتي؟", "どこ？ "])
def test_question_marks_of_other_scripts(text: str) -> None:
    assert ANALYZER.analyse(text).traits & Trait.ENDS_IN_QUESTION


@pytest.mark.parametrize(
    ("text", "says_when"),
    [
        ("Wir treffen uns am Donnerstag", True),
        ("Ils arrivent en f\u00e9vrier", True),
        ("Вчера шёл дождь", True),
        ("昨天下雨了", True),
        ("先週は雨だった", True),
        ("Wir treffen uns am Hafen", False),
        ("下雨了", False),
    ],
)
def test_words_of_time(text: str, says_when: bool) -> None:
    assert bool(ANALYZER.analyse(text).traits & Trait.TIME_WORD) is says_when


@pytest.mark.parametrize(
    ("text", "question", "marked"),
    [
        ("Sie hat zwei Katzen und alte Häuser gesehen", "Welche Katze und welches Haus?",
         ["Katzen", "Häuser"]),
        ("Мы купили новые велосипеды", "Где мой велосипед?", ["велосипеды"]),
        ("Elle chante des chansons", "Quelle chanson ?", ["chansons"]),
    ],
)  # fmt: skip
def test_words_are_marked_in_the_language_of_their_text(
    text: str, question: str, marked: list[str]
) -> None:
    spans = matched_spans(text, question, ANALYZER)
    assert [text[begin:end] for begin, end in spans] == marked
    assert len(shared_words(text, words_asked(question, ANALYZER), ANALYZER)) == len(marked)


def test_little_words_are_not_asked_for() -> None:
    assert (
        ANALYZER.stems("Où est le vélo de la voisine ?") == ANALYZER.stems("est vélo voisine")[1:]
    )
