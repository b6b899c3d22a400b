"""Words of time in languages other than English that mark a turn as saying when.

Plain (lower case, without accents), as `daybook.recall.text.words` cuts them; of scripts without
spaces pairs of characters. None is an English word.
"""

from __future__ import annotations

__all__ = ["TIME_WORDS_ELSEWHERE"]

TIME_WORDS_ELSEWHERE = frozenset(
    """
    gestern vorgestern heute ubermorgen woche wochen monat monate jahr jahre jahren montag dienstag
    mittwoch donnerstag freitag samstag sonntag januar februar marz juni juli oktober dezember
    sommer herbst fruhling wochenende geburtstag weihnachten ostern
    aujourd'hui demain semaine semaines mois annee annees lundi mardi mercredi jeudi vendredi
    samedi dimanche janvier fevrier avril juin juillet aout septembre octobre novembre decembre
    printemps automne hiver anniversaire noel
    ayer anteayer hoy manana semana semanas mes meses ano anos lunes martes miercoles jueves
    viernes sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre
    noviembre diciembre primavera verano otono invierno cumpleanos navidad
    ieri oggi domani settimana settimane mese mesi anni lunedi martedi mercoledi giovedi venerdi
    sabato domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre autunno
    inverno compleanno natale
    ontem anteontem hoje amanha segunda terca quarta quinta sexta janeiro fevereiro marco maio
    junho julho setembro outubro novembro dezembro verao outono aniversario
    gisteren vandaag maand maanden jaar jaren maandag dinsdag woensdag donderdag vrijdag zaterdag
    zondag januari februari maart augustus zomer najaar voorjaar verjaardag kerst
    вчера позавчера сегодня завтра неделе недели неделю месяц месяца году года год понедельник
    вторник среду четверг пятницу субботу воскресенье января февраля марта апреля мая июня июля
    августа сентября октября ноября декабря весной летом осенью зимои
    昨天 今天 明天 前天 星期 上周 下周 上週 下週 去年 今年 明年 个月 個月 春天 夏天 秋天 冬天 生日
    昨日 今日 明日 先週 今週 来週 先月 今月 来月 昨年 来年 曜日 週末 誕生
    """.split()
)
