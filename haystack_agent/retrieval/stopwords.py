"""Words that carry a question but not its matter, folded, in the languages with the most speakers here.

They are left out of the question only: in stored text the inverse document frequency already makes them light.
"""

from __future__ import annotations

from haystack_agent.text.fold import fold

_ENGLISH = """
a an the of in on at to for from by with and or as is are was were be been do does did has have had what which who whom
whose when where why how many much that this these those it its there i my me you your we our find show tell give
according please can could would should
"""

_WORDS = """
der die das den dem des ein eine einen einem einer und oder ist sind war waren hat haben wird wurde welche welcher
welches was wer wen wem wo wann warum wie viel viele für von vom zu zum zur mit auf im in an bei aus nach sich
le la les un une des du de et ou est sont était a ont dans sur pour par avec au aux que qui quel quelle quels quelles
combien où quand comment pourquoi ce cette ces il elle se doit
el los las una unos unas del y o es son era fue ha han en por para con al que qué cual cuál cuáles cuanto cuánto cuánta
cuántos cuántas donde dónde cuando cuándo como cómo se su sus lo
il lo gli uno di da e è sono ha hanno nel nella nei sul sulla per con che quale quali quanto quanta quanti quante dove
quando come si
o os as um uma uns umas do da dos das e ou é são era foi no na nos nas em por para com que qual quais quanto quanta
quantos quantas onde quando como se
en een de het van in op aan voor met en of is zijn was waren heeft hebben wat welke wie waar wanneer waarom hoe veel
en ett den det av i på till för med och eller är var har vad vilken vilket vilka vem när varför hur mycket många
er en et den det af i på til for med og eller var har hvad hvilken hvilket hvilke hvem hvor hvornår hvorfor hvordan
meget mange hva mye
kdo co který která které kteří jaký jaká jaké kde kdy proč jak kolik je jsou byl byla bylo byly v ve na do od z ze s se
si k ke o u po pro při za a i nebo podle to ten ta
kto čo ktorý ktorá ktoré aký aká aké kde kedy prečo ako koľko je sú bol bola bolo boli v vo na do od z zo s sa k o u po
pre pri za a alebo podľa
kto co który która które jaki jaka jakie gdzie kiedy dlaczego jak ile jest są był była było były w we na do od z ze się
o u po dla przy za a i lub według
tko što koji koja koje kakav kakva kakvo gdje kada zašto kako koliko koliki kolika je su bio bila bilo u na do od iz s
sa se o po za i ili prema
kdo kaj kateri katera katero kakšen kje kdaj zakaj kako koliko je so bil bila v na do od iz s z se o po za in ali
cine ce care când unde cum cât câtă câți câte este sunt era au are în pe la de din cu pentru și sau a al ai ale un o
prin către
ki mi melyik milyen hol mikor miért hogyan hány mennyi van volt a az egy és vagy szerint
kuka mikä mitä minkä missä milloin miksi miten kuinka paljonko montako on oli ovat olivat ja tai se ei mukaan
kes mis milline kus millal miks kuidas kui palju mitu on oli ja või
kas kur kada kaip kiek yra buvo ir ar kurš kāds kāda cik ir bija un vai
kim ne hangi nerede ne zaman neden nasıl kaç kadar bir ve veya ile için mi mı
кто что какой какая какое какие который которая где когда почему как сколько в во на до от из с со о у по для при за и
или это был была было были есть
хто що який яка яке які де коли чому як скільки в у на до від із з о по для при за і й або це був була було
кой какво коя кое кои къде кога защо как колко е са беше в във на до от из с със о по за и или
ποιος ποια ποιο τι που πότε γιατί πώς πόσο πόσα πόσοι είναι ήταν ο η το οι τα του της των σε στο στη από με για και ή
ما ماذا من متى أين كيف كم هل هو هي هذا هذه التي الذي في على إلى عن مع و أو كان كانت
מה מי מתי איפה היכן איך למה כמה האם הוא היא זה זו של על אל עם את או היה
क्या कौन कब कहाँ क्यों कैसे कितना कितने कितनी है हैं था थी थे का की के को में पर से और या ने यह वह अनुसार
"""

_FOREIGN = frozenset(fold(word) for word in _WORDS.split())
ENGLISH = frozenset(_ENGLISH.split())
STOPWORDS = _FOREIGN | ENGLISH
ENGLISH_ONLY = ENGLISH - _FOREIGN
"""Stop words that tell that a question is in English."""
_ENGLISH_TOO = frozenset(("bio", "care", "cat", "dove", "era", "hat", "kim", "manga", "van", "volt", "war"))
FOREIGN_ONLY = _FOREIGN - ENGLISH - _ENGLISH_TOO
"""Stop words that tell that it is not; without those that are content words of English."""


_INTERROGATIVES = """
what which who whom whose when where why how many much
welche welcher welches was wer wen wem wo wann warum wie viel viele
que qui quel quelle quels quelles combien où quand comment pourquoi
qué cual cuál cuáles cuanto cuánto cuánta cuántos cuántas dónde cuándo cómo
che chi quale quali quanto quanta quanti quante dove quando come
qual quais quantos quantas onde quem
wat welk welke wie waar wanneer waarom hoe hoeveel
vad vilken vilket vilka vem när varför hur hvad hvilken hvilket hvilke hvem hvornår hvorfor hvordan hva
kdo co který která které kteří jaký jaká jaké kde kdy proč jak kolik
kto čo ktorý ktorá ktoré aký aká aké kedy prečo ako koľko
który która które jaki jaka jakie gdzie kiedy dlaczego ile
tko što koji koja koje kakav kakva kakvo gdje kada zašto kako koliko koliki kolika kaj kateri kje kdaj zakaj
cine ce care când unde cum cât câtă câți câte
ki mi melyik milyen hol mikor miért hogyan hány mennyi
kuka mikä mitä minkä missä milloin miksi miten kuinka paljonko montako
kes mis milline kus millal miks kuidas mitu kas kur kada kaip kiek kurš cik
kim ne hangi nerede neden nasıl kaç
кто что какой какая какое какие который которая где когда почему как сколько
хто що який яка яке які де коли чому скільки кой какво коя къде кога колко
ποιος ποια ποιο τι που πότε γιατί πώς πόσο πόσα πόσοι
ما ماذا من متى أين كيف كم מה מי מתי איפה היכן איך למה כמה
क्या कौन कब कहाँ क्यों कैसे कितना कितने कितनी
何 誰 どこ いつ なぜ どう いくつ 什么 多少 几 谁 哪 哪里 怎么 หลาย กี่ อะไร ใคร 무엇 누구 언제 어디 몇
"""

INTERROGATIVES = frozenset(fold(word) for word in _INTERROGATIVES.split())
"""Words that ask; what is asked for stands beside them."""

ASKED_BEFORE = frozenset({"ja", "ko", "zh", "hi", "bn", "ta", "te", "mr", "ne", "tr"})
"""Languages in which what is asked for stands before the word that asks."""

FUNCTION_CHARACTERS = frozenset(
    "何幾谁誰哪的了是在和与及之这那个们吗呢吧就也都很把被从对於于为"
    "あいうえおかがきぎくぐけげこごさざしじすずせぜそぞただちっつてでとどなにぬねのはばぱひびふへほまみむめもやゆよらりるれろわをん"
)
"""Characters of Chinese and Japanese grammar: a pair of characters with one of them is no word."""
