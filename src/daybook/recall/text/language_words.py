"""Little words of many languages: they tell a language and never what a turn is about.

Lower case, with accents; forms without accents follow from them.
"""

from __future__ import annotations

__all__ = ["LATIN_LANGUAGES", "LITTLE_WORDS"]

# By PyStemmer's name of the language. Listed by hand, most telling ones first.
_LISTED = {
    "german": """
        ich nicht und ist das die der den dem des ein eine einen einem einer eines sie wir ihr mir
        mich dich dir uns euch mein meine meinen meinem meiner dein deine sein seine seinen unser
        unsere auf für mit von vom zu zum zur bei beim aus nach über unter vor zwischen gegen ohne
        um durch seit bis wegen an am im in auch noch schon nur aber oder denn weil dass wenn als
        wie was wer wen wem wo wohin woher wann warum wofür wozu welche welcher welches welchem
        welchen habe hast hat haben hatte hatten bin bist sind war waren wird werden wurde wurden
        worden kann können konnte muss müssen soll sollte will wollen möchte gibt es er sich so
        sehr mehr da dort hier ja nein doch mal dann jetzt nun gerade immer wieder kein keine
        keinen bitte dieser diese dieses jeder alle vielleicht also ob
    """,
    "dutch": """
        ik niet een het de en is zijn van voor met op aan bij naar uit om tot over door onder tegen
        zonder te ten ter ze zij hij wij we jij je jullie u mij me mijn jouw haar hem hun ons onze
        dat die dit deze wat wie waar waarom waarheen wanneer hoe welk welke heb hebt heeft hebben
        had hadden ben bent was waren wordt worden werd kan kunnen moet moeten zal zullen wil
        willen ga gaat gaan maar of want dus als dan omdat ook nog al wel er daar hier nu toen
        steeds geen alleen graag gewoon even toch heel veel meer na sinds
    """,
    "swedish": """
        jag inte och är att det den de en ett som på för med till från av om hos vid under över
        efter före mot utan i ut in upp han hon vi ni du mig dig oss er min mitt mina din ditt dina
        sin sitt sina hans hennes deras vår vårt våra vad vem vilka vilken vilket var vart när hur
        varför har hade haft blir blev bli blivit kan kunde ska skulle vill ville måste får fick
        men eller så då nu här där också bara redan ännu mycket alltid aldrig ingen inget några
        någon något ja nej kvar eftersom
    """,
    "danish": """
        jeg ikke og er at det den de en et som på for med til fra af om hos ved under over efter
        før mod uden i ud ind op han hun vi du mig dig os min mit mine din dit dine sin sit sine
        hans hendes deres vores hvad hvem hvilken hvilket hvilke hvor hvornår hvordan hvorfor har
        havde bliver blev blive kan kunne skal skulle vil ville må får fik men eller så da nu her
        der også kun allerede endnu meget altid aldrig ingen nogle nogen noget ja nej fordi
    """,
    "norwegian": """
        jeg ikke og er at det den de en et ei som på for med til fra av om hos ved under over etter
        før mot uten i ut inn opp han hun vi dere du meg deg oss min mitt mine din ditt dine sin
        sitt sine hans hennes deres vår vårt våre hva hvem hvilken hvilket hvilke hvor når hvordan
        hvorfor har hadde blir ble bli kan kunne skal skulle vil ville må får fikk men eller så da
        nå her der også bare allerede ennå mye alltid aldri ingen noen noe ja nei fordi
    """,
    "finnish": """
        minä sinä hän me te he minun sinun hänen meidän teidän heidän minulla sinulla hänellä
        minulle sinulle hänelle minut sinut hänet se sen siitä sitä siellä sinne tämä tuo nämä nuo
        ne ja tai sekä mutta vaan koska että jos kun kuin on ovat oli olivat olla ollut olen olet
        olemme olette ei en et emme ette eivät mikä mitä mistä mihin mille millä missä minne minkä
        miksi milloin miten kuka kenelle kenen ketä onko jo vielä nyt sitten myös vain aina taas
        kanssa jälkeen ennen asti lähtien alla päällä luona jotka joka jota kun kyllä ihan yhä
        vasta vihdoin
    """,
    "hungarian": """
        én nem és egy az hogy van volt lesz vagyok vagy vagyunk vannak voltam ez azt ezt meg már
        még csak is de ha mert mint mi ki te ő mit kit hol hova honnan mikor miért hogyan melyik
        milyen nekem neked neki velem veled vele után előtt alatt fölött között szerint miatt
        nélkül nagyon most majd itt ott igen kell lehet akkor pedig vagy sem se minden
    """,
    "french": """
        je ne pas et est les des une un le la l' du de d' j' c' qu' n' s' m' t' que qui quoi où
        quand comment pourquoi quel quelle quels quelles combien tu il elle on nous vous ils elles
        me te se lui leur y en mon ma mes ton ta tes son sa ses notre nos votre vos leurs ce cet
        cette ces ça cela au aux dans sur sous avec sans pour par chez vers entre depuis pendant
        avant après devant ai as a avons avez ont avait avaient était étaient suis es sommes êtes
        sont être avoir fait faire va vont j'ai c'est qu'il qu'elle qu'on n'est n'a n'ai
        d'un d'une s'est m'a t'as l'a l'ai n'y deux trois ou mais donc
        car si comme plus moins très aussi encore
        déjà toujours jamais ici là oui non s'il bien tout tous toute toutes même
    """,
    "spanish": """
        yo no y es el la los las un una unos unas de del al a en con sin por para sobre entre desde
        hasta hacia ante bajo que qué quien quién quienes cual cuál cuáles cuando cuándo donde
        dónde adónde como cómo cuánto cuántos cuánta tú él ella usted nosotros ellos ellas ustedes
        me te se nos os le les lo mi mis tu tus su sus nuestro nuestra nuestros este esta estos
        estas ese esa eso aquel aquella esto he has ha hemos han había fue era eran soy eres somos
        son estoy está están estaba ser estar hay tiene tengo pero o u porque si sí también ya más
        muy menos todavía aún siempre nunca aquí allí ahora solo sólo cada todo toda todos todas
    """,
    "portuguese": """
        eu não e é o a os as um uma uns umas de do da dos das no na nos nas em ao aos à às pelo
        pela com sem por para sobre entre desde até que quê quem qual quais quando onde aonde como
        porque quanto quantos você vocês ele ela nós eles elas me te se lhe meu minha meus minhas
        teu tua seu sua seus suas nosso nossa este esta esse essa isso isto aquele aquela dele dela
        foi era eram sou somos são estou está estão estava ser estar há tem tenho têm fui mas ou se
        também já mais muito menos ainda sempre nunca aqui lá agora só cada todo toda todos todas
        num numa
    """,
    "italian": """
        io non e è il lo la i gli le l' un un' uno una di del dello della dei degli delle d' a al
        allo alla ai agli alle da dal dalla dai dalle in nel nella nei nelle su sul sulla sui sulle
        con senza per tra fra che chi cosa cui quale quali quando dove dov' come perché quanto
        quanti tu lui lei noi voi loro mi ti si ci vi ne mio mia miei mie tuo tua tuoi suo sua suoi
        sue nostro nostra questo questa questi queste quello quella quelli ho hai ha abbiamo hanno
        aveva sono sei siamo siete era erano fu stato stata essere avere sto sta stanno fa ma o se
        anche già più molto meno ancora sempre mai qui là adesso solo ogni tutto tutta tutti tutte
        dall' nell' all' sull' dell' c' s' m' t' v' c'è l'ho com'è cos'è
        dov'è un'altra due tre
    """,
    "catalan": """
        jo no i és el la els les un una uns unes de del dels al als a en amb sense per sobre entre
        des fins que què qui quin quina quins quines quan on com perquè quant tu ell ella nosaltres
        vosaltres ells elles em et es ens us li meu meva meus teva seva seu aquest aquesta aquests
        aquell això he has ha hem han havia era eren soc ets som són estic està ser estar hi però o
        si també ja més molt menys encara sempre mai aquí allà ara només cada tot tota tots totes
    """,
    "romanian": """
        eu nu și este sunt e un o unei unui al ai ale lui la cu fără pe pentru prin în din de spre
        despre între până după înainte că ce cine care când unde cum cât câți tu el ea noi voi ei
        ele mă te se ne vă îmi îți își mi ți meu mea mei mele tău ta său sa nostru acest această
        acești acel acea am ai are avem aveți au fost era erau să va vor dar sau dacă deci pentru
        și mai foarte încă deja mereu niciodată aici acolo acum doar tot toată toți toate
    """,
    "polish": """
        ja nie i jest są był była było byli się na w we z ze do od dla po przy przez przed za nad
        pod bez o u że żeby co kto kogo komu czego czym jak jaki jaka jakie jaką jakiej jakim
        jakich który która które gdzie dokąd skąd kiedy dlaczego czy ile ty on ona ono my wy oni
        mnie mi mną ciebie cię ci jego go jej jemu nas nam was im ich mój moja moje mojej moim moją
        twój twoja swój swoje swojego ten ta to te tego tej tym tę tą tam tu teraz jestem jesteś
        mam masz ma mamy mają może tylko też także już jeszcze ale lub albo bo więc jako kiedyś
        znowu nadal bardzo tak
    """,
    "czech": """
        já ne a je jsou byl byla bylo byli jsem jsi jsme jste se si na v ve z ze do od pro po při
        přes před za nad pod bez o u k ke s že aby co kdo koho komu čeho čím jak jaký jaká jaké
        jakou jakém jakých který která které kde kam odkud kdy proč kolik ty on ona ono my vy oni
        mě mi mnou tě ti jeho ho jí jemu nás nám vás jim jich můj moje mého mém mojí tvůj svůj
        svoje své ten ta to ty tu toho té tom tam teď mám máš má máme mají může jen taky také už
        ještě ale nebo protože tak pořád zase velmi ano jako kdysi loni bude budu
    """,
    "turkish": """
        ben sen o biz siz onlar bana sana ona bize size beni seni onu benim senin onun bizim sizin
        bir bu şu ve ile de da ki mi mı mu mü için gibi kadar göre sonra önce beri ama fakat çünkü
        ne neden niçin niye nasıl nerede nereye nereden kim kime kimi kimin hangi kaç var yok değil
        çok daha en hiç her şimdi artık hâlâ yine sadece yalnızca ancak olarak oldu olan olsun
        evet hayır
    """,
    "indonesian": """
        saya aku kamu anda dia kami kita mereka yang dan di ke dari untuk dengan pada oleh tidak
        bukan adalah ini itu akan sudah sedang telah belum juga hanya lagi karena tetapi tapi atau
        jika kalau apa siapa mana kapan mengapa kenapa bagaimana berapa ada bisa harus sangat lebih
        seorang sebuah para dalam sebagai
    """,
    "vietnamese": """
        tôi bạn anh chị em nó họ chúng mình là và của có không cho với ở trong trên dưới này đó kia
        các những một đã đang sẽ vẫn cũng rất thì mà nhưng vì nên để khi nếu từ đến về ra vào lại
        gì nào ai đâu sao thế bao giờ mấy chưa rồi nhé à ạ bị được do còn tại
    """,
}
# Of languages that their script or letters tell.
_LISTED_ELSEWHERE = {
    "russian": """
        и в во не что он она оно на я с со как а то все всё она так его но да ты к у же вы за бы по
        её ее мне было вот от меня ещё еще нет о из ему когда даже ну ли если уже или ни быть был
        была были до вас вам нас нам мы они им их ей для чем чём где кто кого кому какой какая
        какие какую каких каким куда откуда почему зачем сколько мой моя моё мои моей моём моего
        моему свой свою своей твой наш это этот эта эти этой этом том тот та те там тут тебя тебе
        себя под над при без через между около возле рядом будет есть очень только теперь сейчас
    """,
    "ukrainian": """
        і й та в у не що він вона воно на я з із зі як а то все всі так його але ти до же ви за би
        по її мені було ось від мене ще ні немає про йому коли навіть ну чи якщо вже або бути був
        була були вас вам нас нам ми вони їм їх їй для чим чому де хто кого кому який яка яке які
        яких яким яку куди звідки скільки мій моя моє мої моїй моєму мого свій свою своєї твій наш
        це цей ця ці цій тому той там тут тебе тобі себе під над при без через між біля буде є дуже
        лише тільки тепер зараз знову
    """,
    "greek": """
        ο η το οι τα του της των τον την τους τις ένας μια μία ένα και κι να θα δεν μην με σε στο
        στη στην στον στα στις στους από για ως προς κατά μετά πριν χωρίς μέχρι κάτω πάνω μέσα έξω
        εγώ εσύ αυτός αυτή αυτό εμείς εσείς αυτοί μου σου μας σας τι ποιος ποια ποιο ποιες ποιον
        ποιοι που πού πότε πώς γιατί πόσο πόσα πόσες είναι είμαι είσαι ήταν ήμουν έχω έχει έχεις
        έχουν είχα είχε αν ή αλλά όμως ότι όταν ακόμα πολύ πιο πάλι εκεί εδώ τώρα ναι όχι κάθε
        μόνο τη
    """,
    "arabic": """
        في من على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين أن ان إن لا لم لن ما ماذا هل متى
        أين اين كيف لماذا كم أي اي أنا انا أنت انت هو هي نحن هم كان كانت كنت يكون قد لكن لكني ثم أو
        او و بعد قبل عند عندي عندها كل غير بين حتى إذا اذا لأن نعم هناك هنا الآن عبر سوف لها له لي
    """,
    "persian": """
        از به با در را که و یا تا برای این آن ها های هم نیز است هست هستم هستند بود بودم بودند شد
        شده می نمی من تو او ما شما آنها ایشان چه چی چیست کی کجا کجاست کدام چرا چطور چگونه چند آیا
        اگر اما ولی پس هر یک خود خودش خیلی باز بله نه روی زیر پیش هنوز حالا همه ام ات اش ای اند
        دارم دارد داری دارند رو کسی
    """,
    "hebrew": """
        אני אתה את הוא היא אנחנו אתם הם הן של על עם אל מן אם או כי זה זו זאת אלה לא כן גם רק עוד כבר
        מה מי מתי איפה לאן מאיפה איך למה מדוע כמה איזה איזו אילו יש אין היה היתה הייתה הייתי היו לי
        לך לו לה לנו להם אבל אז כל מאוד שלי שלך שלו שלה עכשיו עדיין שוב ב ל מ ה ו ש אצל ליד בגלל
        מול
    """,
    "hindi": """
        है हैं था थी थे हूँ हूं हो का की के को से में पर ने और या कि जो यह वह ये वे मैं हम तुम आप
        मेरा मेरी मेरे उसका उसकी उसके उसने उन उनके हमारा अपना अपने अपनी मुझे तुझे उसे क्या कौन कब
        कहाँ कहां क्यों कैसे कितना कितने किस किसने किन कोई कुछ भी ही तो नहीं मत अब फिर लिए साथ बाद
        तक रहा रही रहे गया गई गए कर मैंने हमने जी वहीं यहाँ एक
    """,
}
LATIN_LANGUAGES = tuple(_LISTED)

LITTLE_WORDS = {
    language: frozenset(words.split()) for language, words in (_LISTED | _LISTED_ELSEWHERE).items()
}
