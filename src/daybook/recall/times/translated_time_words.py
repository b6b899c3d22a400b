"""How languages say the commonest times: patterns, in lower case; accents may be left out."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["TIME_WORDS", "TimeWords"]


class TimeWords(Struct, frozen=True, kw_only=True):
    """One language.

    Attributes:
        fixed: What means the same English words wherever it stands.
        when: What asks for a time.
        months: Twelve patterns, January first; "_" for a space.
        weekdays: Seven, Monday first.
        seasons: Four, spring first.
        units: Day, week, month, year, weekend.
        last: The unit before this one; "{}" for the unit.
        this: This unit.
        ago: "{n}" units before now; two ways apart by "||".
        in_month: What stands before a month without a day.
        numbers: Small numbers; in East Asia the signs of units and their places in `units`.
    """

    fixed: dict[str, str]
    when: str
    months: str = ""
    weekdays: str = ""
    seasons: str = ""
    units: str = ""
    last: str = ""
    this: str = ""
    ago: str = ""
    in_month: str = ""
    numbers: dict[str, int] = {}


TIME_WORDS = {
    "german": TimeWords(
        fixed={"vorgestern": "the day before yesterday", "gestern": "yesterday", "heute": "today"},
        when="wann|an welchem tag|in welchem (?:jahr|monat)|um wie viel uhr|seit wann",
        months="januar februar märz april mai juni juli august september oktober november dezember",
        weekdays="montag dienstag mittwoch donnerstag freitag (?:samstag|sonnabend) sonntag",
        seasons="frühling|frühjahr sommer herbst winter",
        units="tage?n? wochen? monate?n? jahre?n? wochenende",
        last="(?:letzte|vorige|vergangene)[nrms]? {}",
        this="diese[nrms]? {}",
        ago="vor {n} {}",
        in_month="im(?: monat)?|seit|bis",
        numbers={
            "eine[mnr]?": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7,
            "acht": 8, "neun": 9, "zehn": 10, "ein paar|einigen": 3,
        },
    ),
    "french": TimeWords(
        fixed={
            "avant[- ]hier": "the day before yesterday", "hier": "yesterday",
            "aujourd'hui": "today",
        },
        when="quand|quel jour|quelle date|en quelle année|quel mois|à quelle heure",
        months=(
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
        ),
        weekdays="lundi mardi mercredi jeudi vendredi samedi dimanche",
        seasons="printemps été automne hiver",
        units="jours? semaines? mois ans?|années? week-?end",
        last="(?:la |le |l')?{} (?:derni(?:er|ère)|passée?)",
        this="(?:ce|cet|cette) {}",
        ago="il y a {n} {}",
        in_month="en|au mois de",
        numbers={
            "une?": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7,
            "huit": 8, "neuf": 9, "dix": 10, "quelques": 3,
        },
    ),
    "spanish": TimeWords(
        fixed={"anteayer|antier": "the day before yesterday", "ayer": "yesterday", "hoy": "today"},
        when="cuándo|qué día|qué fecha|en qué (?:año|mes)|a qué hora",
        months=(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
            " diciembre"
        ),
        weekdays="lunes martes miércoles jueves viernes sábado domingo",
        seasons="primavera verano otoño invierno",
        units="días? semanas? mes(?:es)? años? fin_de_semana",
        last="(?:el |la )?{} pasad[oa]",
        this="est[ea] {}",
        ago="hace {n} {}",
        in_month="en|de",
        numbers={
            "una?": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
            "ocho": 8, "nueve": 9, "diez": 10, "unos|unas": 3,
        },
    ),
    "italian": TimeWords(
        fixed={
            "l'altro ieri|altroieri|ieri l'altro": "the day before yesterday",
            "ieri": "yesterday", "oggi": "today",
        },
        when="quando|che giorno|quale data|in che (?:anno|mese)|a che ora",
        months=(
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
            " dicembre"
        ),
        weekdays="lunedì martedì mercoledì giovedì venerdì sabato domenica",
        seasons="primavera estate autunno inverno",
        units="giorn[oi] settiman[ae] mes[ei] ann[oi] fine_settimana|weekend",
        last="(?:il |la |l'|lo )?{} (?:scors[oa]|passat[oa])",
        this="quest(?:[oa] |'){}",
        ago="{n} {} fa",
        in_month="a|in|ad|nel mese di",
        numbers={
            "una?": 1, "due": 2, "tre": 3, "quattro": 4, "cinque": 5, "sei": 6, "sette": 7,
            "otto": 8, "nove": 9, "dieci": 10, "qualche": 3,
        },
    ),
    "portuguese": TimeWords(
        fixed={"anteontem": "the day before yesterday", "ontem": "yesterday", "hoje": "today"},
        when="quando|que dia|qual data|em que (?:ano|mês)|a que horas",
        months=(
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
            " dezembro"
        ),
        weekdays=(
            "segunda(?:-feira)? terça(?:-feira)? quarta(?:-feira)? quinta(?:-feira)?"
            " sexta(?:-feira)? sábado domingo"
        ),
        seasons="primavera verão outono inverno",
        units="dias? semanas? m[eê]s(?:es)? anos? fim_de_semana",
        last="(?:a |o |na |no )?{} passad[oa]",
        this="(?:est[ea]|ness?[ea]|ess[ea]) {}",
        ago="há {n} {} || {n} {} atrás",
        in_month="em",
        numbers={
            "uma?": 1, "dois|duas": 2, "três": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7,
            "oito": 8, "nove": 9, "dez": 10, "alguns|algumas": 3,
        },
    ),
    "dutch": TimeWords(
        fixed={"eergisteren": "the day before yesterday", "gisteren": "yesterday",
               "vandaag": "today"},
        when="wanneer|welke dag|welk jaar|welke maand|hoe laat|sinds wanneer",
        months="januari februari maart april mei juni juli augustus september oktober november"
        " december",
        weekdays="maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        seasons="(?:lente|voorjaar) zomer (?:herfst|najaar) winter",
        units="dag(?:en)? week|weken maand(?:en)? jaar|jaren weekend",
        last="(?:vorige?|afgelopen|verleden) {}",
        this="(?:deze|dit) {}",
        ago="{n} {} geleden",
        in_month="in|sinds|tot",
        numbers={
            "een": 1, "twee": 2, "drie": 3, "vier": 4, "vijf": 5, "zes": 6, "zeven": 7, "acht": 8,
            "negen": 9, "tien": 10, "een paar|enkele": 3,
        },
    ),
    "russian": TimeWords(
        fixed={"позавчера": "the day before yesterday", "вчера": "yesterday", "сегодня": "today"},
        when="когда|в какой день|в каком (?:году|месяце)|какого числа|во сколько",
        months=(
            "январ\\w+ феврал\\w+ март\\w* апрел\\w+ ма[йяе] июн\\w+ июл\\w+ август\\w*"
            " сентябр\\w+ октябр\\w+ ноябр\\w+ декабр\\w+"
        ),
        weekdays=(
            "понедельник\\w* вторник\\w* сред[ауые] четверг\\w* пятниц\\w+ суббот\\w+"
            " воскресень\\w+"
        ),
        seasons="весн\\w+ лето|летом|лета осень\\w* зим\\w+",
        units="день|дня|дней недел\\w+ месяц\\w* год\\w*|лет выходн\\w+",
        last="(?:в |во |на )?прошл\\w+ {}",
        this="(?:в |во |на )?эт\\w+ {}",
        ago="{n} {} назад",
        in_month="в",
        numbers={
            "один|одну": 1, "два|две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7,
            "восемь": 8, "девять": 9, "десять": 10, "несколько": 3,
        },
    ),
    "east asian": TimeWords(
        fixed={
            "前天|一昨日|おととい": "the day before yesterday",
            "昨天|昨日|きのう": "yesterday",
            "今天|今日|きょう": "today",
            "上(?:个|個)?(?:周|週|星期|礼拜|禮拜)(?![一二三四五六日天末])|先週": "last week",
            "上(?:个|個)月|先月": "last month",
            "去年|昨年": "last year",
            "(?:这|這|本)(?:个|個)?(?:周|週|星期)(?![一二三四五六日天末])|今週": "this week",
            "(?:这|這|本)(?:个|個)?月|今月": "this month",
            "今年": "this year",
        }
        | {
            f"上(?:个|個)?(?:周|週|星期|礼拜|禮拜){sign}": f"last {day}"
            for sign, day in zip(
                ("一", "二", "三", "四", "五", "六", "[日天]"),
                "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
                strict=True,
            )
        },
        when="什么时候|什麼時候|何时|何時|哪天|哪一天|几月|幾月|几号|幾號|いつ|何日|何月|何曜日|星期几|星期幾|周几",
        numbers={"天": 0, "日": 0, "周": 1, "週": 1, "星期": 1, "月": 2, "年": 3},
    ),
}  # fmt: skip
