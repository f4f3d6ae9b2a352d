"""Small closed word classes that turn an edit from cosmetic to grave: negations, hedges, number words.

Rule: closed classes only (function words, numerals); casefolded. A word listed for one language counts in all, so what
is a common word of another language is left out: Turkish "on", Italian "due", French "un", Spanish "once".
"""

from __future__ import annotations

_NEGATIONS = (
    # en de fr es it pt ru uk tr ar fa zh ja
    "no not nor never none nobody nothing nowhere neither without cannot isn't aren't wasn't weren't don't doesn't didn't won't wouldn't "
    "can't couldn't shouldn't hasn't haven't hadn't ain't mustn't needn't "
    "nicht nichts kein keine keinen keinem keiner keines nie niemals niemand ohne weder "
    "ne pas jamais aucun aucune rien personne sans ni "
    "nunca jamás nadie nada ningún ninguna ninguno sin tampoco "
    "non nessuno nessuna niente nulla senza né "
    "não nem ninguém nenhum nenhuma sem "
    "не ни нет никогда никто ничто ничего нельзя без нікого ніколи немає ніхто "
    "değil yok hiç asla hiçbir "
    "لا لم لن ليس ليست ما غير بدون لیس نه نیست "
    "不 没 沒 未 无 無 非 否 ない なし ず"
)
_HEDGES = (
    "claim claims claimed reportedly alleged allegedly confirmed confirms confirm unconfirmed may might could possibly probably "
    "apparently likely unlikely suspected rumoured rumored believed thought denies denied according unverified "
    "angeblich mutmaßlich offenbar wohl vermutlich bestätigt möglicherweise "
    "présumé présumée apparemment probablement confirmé confirmée "
    "presunto presunta supuestamente posiblemente confirmado confirmada probablemente "
    "presumibilmente confermato "
    "якобы предположительно вероятно возможно подтвердил подтвердила подтверждено утверждает "
    "iddia muhtemelen doğrulandı "
    "يزعم مزعوم ربما أكد يؤكد "
    "据称 可能 证实 涉嫌"
)
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion "
    "billions trillion dozen dozens half double triple first second third fourth fifth sixth seventh eighth ninth tenth twice "
    "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig fünfzig hundert tausend "
    "million millionen milliarde milliarden dutzend "
    "deux trois quatre cinq sept huit neuf dix onze douze vingt trente quarante cinquante soixante mille millions milliard "
    "uno dos tres cuatro cinco seis siete ocho nueve diez veinte treinta cuarenta cincuenta cien ciento mil millón millones "
    "tre quattro cinque sette otto nove dieci venti trenta cento duecento mila milione milioni "
    "dois duas três quatro oito dez vinte trinta cem milhão milhões "
    "один одна одно два две три четыре пять шесть семь восемь девять десять двадцать тридцать сорок пятьдесят сто двести "
    "тысяча тысячи тысяч миллион миллиона миллионов миллиард десятки сотни двое трое четверо пятеро "
    "iki üç dört beş altı yedi sekiz dokuz yirmi otuz kırk elli yüz milyon milyar onlarca yüzlerce "
    "واحد اثنان اثنين ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة عشرون مئة مائة ألف آلاف مليون عشرات مئات "
    "一 二 两 兩 三 四 五 六 七 八 九 十 百 千 万 萬 亿 億 零 〇 半"
)

NEGATIONS = frozenset(_NEGATIONS.split())
HEDGES = frozenset(_HEDGES.split())
NUMBER_WORDS = frozenset(_NUMBERS.split())


def is_number(word: str) -> bool:
    """Say whether a casefolded word counts something: digits of any script anywhere in it, or a numeral."""
    if word.isascii() and word.isalpha():
        return word in NUMBER_WORDS
    return any(character.isnumeric() for character in word) or word in NUMBER_WORDS


def is_negation(word: str) -> bool:
    """Say whether a casefolded word denies."""
    plain = word if word.isascii() else word.replace("’", "'").replace("ʼ", "'")
    return plain in NEGATIONS or plain.endswith("n't")
