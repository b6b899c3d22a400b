"""Times in questions of other languages are those that English says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daybook.recall.ranking.query import plan_query
from daybook.recall.text.analysis import Analyzer

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
ANALYZER = Analyzer()


@pytest.mark.parametrize(
    ("question", "english"),
    [
        ("Was haben wir letzte Woche gegessen?", "last week"),
        ("Was war vorgestern und nicht gestern?", "the day before yesterday, yesterday"),
        ("Wer kam am 7. Mai 2023 zu uns?", "on 7 May 2023"),
        ("Was war vor zwei Wochen bei uns los?", "two weeks ago"),
        ("Was haben wir im März gekauft?", "in March"),
        ("Was hat sie letzten Freitag gesagt?", "last Friday"),
        ("Qu'est-ce que j'ai acheté la semaine dernière ?", "last week"),
        ("Où étions-nous il y a trois mois ?", "three months ago"),
        ("Que s'est-il passé en août 2024 ?", "in August 2024"),
        ("¿Qué compré el mes pasado?", "last month"),
        ("¿Qué hice hace dos semanas?", "two weeks ago"),
        ("¿Qué dijo el 3 de junio de 2025?", "on 3 June 2025"),
        ("Cosa ho fatto ieri e la settimana scorsa?", "yesterday, last week"),
        ("Dove sono andata tre mesi fa?", "three months ago"),
        ("O que comprei no mês passado?", "last month"),
        ("O que fiz há duas semanas?", "two weeks ago"),
        ("Wat heb ik vorige week gekocht?", "last week"),
        ("Wat deden we drie maanden geleden?", "three months ago"),
        ("Что я купила на прошлой неделе?", "last week"),
        ("Где мы были в мае 2023?", "in May 2023"),
        ("Что было две недели назад?", "two weeks ago"),
        ("我上个月买了什么？", "last month"),
        ("三个星期前我们去了哪儿？", "three weeks ago"),
        ("5月7日谁来了？", "on 7 May"),
        ("上周五吃了什么？", "last Friday"),
        ("先週何を買った？", "last week"),
        ("２０２３年５月に何をした？", "in May 2023"),
        ("十二月に何をした？", "in December"),
        ("2か月前はどこにいた？", "two months ago"),
    ],
)
def test_times_are_those_that_english_says(question: str, english: str) -> None:
    found = plan_query(question, analyzer=ANALYZER, now=NOW).windows
    assert found
    assert found == plan_query(english, analyzer=ANALYZER, now=NOW).windows


@pytest.mark.parametrize(
    "question",
    [
        "Was hat sie gesagt?",
        "Le vol pour la planète Mars coûte combien ?",
        "¿Qué lección tiene Mayo?",
        "Которая собака лает?",
        "她叫什么名字？",
        "Il marzo che hai comprato non funziona",
        "Das 99. Mal im Mais",
        "第十三月是什么",
    ],
)
def test_no_time_is_invented(question: str) -> None:
    assert plan_query(question, analyzer=ANALYZER, now=NOW).windows == ()


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Wann ist der Termin beim Arzt?", True),
        ("Quand est-ce que le train part ?", True),
        ("¿Cuándo es la boda?", True),
        ("Когда у неё день рождения?", True),
        ("什么时候搬家？", True),
        ("結婚式はいつ？", True),
        ("Wo ist der Termin beim Arzt?", False),
        ("Кто у неё был?", False),
        ("為什麼搬家？", False),
    ],
)
def test_questions_for_a_time(question: str, asks: bool) -> None:
    assert plan_query(question, analyzer=ANALYZER, now=NOW).asks_when is asks
