"""Korean words without the particles and light verbs written onto them."""

from __future__ import annotations

from functools import lru_cache

# Case, topic and auxiliary particles, and the endings of 하다/되다 that make a noun a verb (National Institute of Korean
# Language, standard grammar); longest first so that 에서는 goes before 는.
_WRITTEN_ON = (
    "은 는 이 가 을 를 의 에 와 과 도 만 로 으로 에서 에게 께 께서 한테 부터 까지 처럼 보다 마다 조차 마저 밖에 이나 나 이라 라 "
    "이며 며 이고 고 이란 란 에는 에도 에서는 에서도 으로는 으로도 로는 로도 에게는 에게서 으로부터 로부터 들 들이 들은 들을 들의 들에 "
    "들과 들도 이다 입니다 이었다 였다 하다 한다 했다 하며 하고 하는 한 할 함 해 해서 했으며 했고 하기 하지 했다고 한다고 "
    "하였다 합니다 했습니다 했지만 하면서 하려 하던 "
    "되다 된다 됐다 되며 되고 되는 된 될 됨 되어 돼 되면서 되었다 됩니다 됐습니다 됐으며 됐고 됐다고 된다고 시키다 시켰다 시킨"
)
_ENDINGS = tuple(sorted(_WRITTEN_ON.split(), key=len, reverse=True))
_BY_LAST: dict[str, list[str]] = {}
for _ending in _ENDINGS:
    _BY_LAST.setdefault(_ending[-1], []).append(_ending)
_MIN_STEM = 2  # syllables; one-syllable stems are more often the end of another word


@lru_cache(maxsize=65536)
def without_particle(word: str) -> str:
    """Return `word` without the particle at its end, as long as two syllables are left."""
    for ending in _BY_LAST.get(word[-1:], ()):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word
