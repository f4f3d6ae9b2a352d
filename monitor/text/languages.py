"""What the program knows of languages: their tags, their stop words, their elisions, their sentence marks."""

from __future__ import annotations

from functools import lru_cache

# Tags people write for languages that go by another code in word lists (ISO 639 macro-languages and retired codes).
_SAME_AS = {
    "iw": "he", "in": "id", "no": "nb", "nno": "nn", "nob": "nb", "hr": "hbs", "sr": "hbs", "bs": "hbs", "sh": "hbs",
    "cnr": "hbs", "fil": "tl", "arb": "ar", "arz": "ar", "apc": "ar", "prs": "fa", "pes": "fa", "zlm": "ms", "yue": "zh",
    "cmn": "zh", "ekk": "et", "lvs": "lv", "als": "sq", "eng": "en", "deu": "de", "fra": "fr", "spa": "es", "rus": "ru",
}  # fmt: skip

# Words that carry grammar alone: dropped from a rule's natural phrase when something else is left. "not" and "no" and
# their kin are never here: they change the meaning.
_STOP_WORDS = {
    "en": "a an and are as at be been being but by for from had has have if in into is it its of on or such than that "
    "the their then there these they this those to was were which who will with",
    "de": "am an auf aus bei beim bis dem den der des die das ein eine einem einen einer eines es für hat haben im in "
    "ins ist mit nach oder sich sind und um unter vom von vor war waren wird werden zu zum zur über durch",
    "fr": "a à au aux avec c ce ces cet cette d dans de des du elle en est et été il ils l la le les leur leurs on ont "
    "ou où par pour qu que qui s sa se ses son sont sur un une",
    "es": "a al con de del e el en es esta este estos fue ha han la las le les lo los o para por que se son su sus u un "
    "una unas unos y",
    "it": "a ad ai al alla alle allo agli che con d da dal dalla dalle dai dei del della delle dello degli di e ed è gli "
    "ha hanno i il in l la le lo nel nella nelle nei o per si sono su sul sulla suo sua tra fra un una uno",
    "pt": "a à às ao aos as com da das de do dos e é em foi na nas no nos o os ou para pela pelas pelo pelos por que se "
    "são um uma uns umas",
    "nl": "aan bij dat de den der des die dit door een en er het in is met naar of om onder op over te tegen ten ter tot "
    "uit van voor was werd worden wordt zijn",
    "sv": "att av de den det en ett för från har i med och om på som till var är",
    "da": "af at de den der det en er et fra for har i med og om på som til var",
    "nb": "av at de den det en er et fra for har i med og om på som til var",
    "fi": "ja on oli että tai se",
    "pl": "a ale czy do i jest lub na o od oraz po pod przez przy są się w we z za ze że",
    "cs": "a do i je jsou k na nebo o od po pod při s se si u v ve z za ze že",
    "sk": "a alebo do i je k ku na o od po pod pri s sa so sú u v vo z za zo že",
    "ru": "а без бы в во для до и из или к как ко на над о об от по под при с со у что это",
    "uk": "а або без в від до для з за і й із на над о об по під при про та у це що як",
    "bg": "а в във до за и из или към на от по при с са се със че",
    "hbs": "a i ili je na o od po pri s sa se su u uz za",
    "el": "α από για ένα ένας η και με μια ο οι σε στη στην στο στον στους στις τα τη την της τις το τον του τους των",
    "tr": "bir bu da de ile için ki ve veya",
    "az": "bir bu da də ilə üçün ki və və ya",
    "ro": "a al ale au ca care cu de din e este în la o pe pentru prin sau să și un unei unui",
    "hu": "a az egy és hogy is vagy van",
    "ca": "a al als amb d de del dels el els en i l la les o per que s un una",
    "id": "dan dari di ini itu ke oleh pada untuk yang",
    "ar": "أن إلى التي الذي أو ثم على عن في قد ما من هذا هذه و",
    "fa": "از است این آن با به بر برای تا در را که و یا",
    "ur": "اور پر سے کا کو کی کے میں نے ہے",
    "he": "או אל את גם הוא היא זה על עם של",
    "hi": "और का की के को में ने पर या से है हैं",
}

# Short words before an apostrophe that belong to the grammar, not to the word (fr, it, ca).
_ELISIONS = (
    "l d j m t s n c qu jusqu lorsqu puisqu quoiqu presqu quelqu un dell nell sull dall all coll quest quell gl agl "
    "dagl degl negl sugl sant anch"
)
ELISIONS = frozenset(_ELISIONS.split())

# A full stop after these ends no sentence.
_ABBREVIATIONS = (
    "mr mrs ms dr prof st no nos gen col lt sgt maj capt cmdr gov sen rep rev hon jr sr vs approx ca dept est fig inc ltd "
    "co corp jan feb mar apr jun jul aug sept sep oct nov dec mon tue wed thu fri sat sun art cf bzw vgl usw nr str tel "
    "evtl ggf mme mlle mgr sig sra srta ud av pág núm ул им т.е т.д тыс млн млрд гг проф dra ing vol pp "
    "dott avv geom mio mrd bspw inkl ehem dhr mevr drs tys mld św woj tzv např руб обл стр sr"
)
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())

# Languages that write the day of a date as an ordinal with a full stop: "am 15. Dezember".
_DOTTED_ORDINALS = frozenset(
    {"de", "da", "nb", "nn", "fi", "cs", "sk", "sl", "hbs", "hu", "tr", "et", "lv", "is", "lb"}
)


@lru_cache(maxsize=256)
def base_language(tag: str | None) -> str:
    """Return the lower-case base language of a BCP 47 `tag` (`pt-BR` → `pt`), English where the tag says nothing."""
    base = (tag or "en").replace("_", "-").split("-", 1)[0].strip().lower()
    return _SAME_AS.get(base, base) or "en"


@lru_cache(maxsize=64)
def stop_words(language: str) -> frozenset[str]:
    """Return the words of a base `language` that carry grammar alone, in lower case; empty where none are listed."""
    return frozenset(_STOP_WORDS.get(language, "").split())


def dotted_ordinals(language: str) -> bool:
    """Say whether a full stop after a short number makes it an ordinal rather than ending the sentence."""
    return language in _DOTTED_ORDINALS
