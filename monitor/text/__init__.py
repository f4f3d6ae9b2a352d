"""What a text says, whatever way it is written: one place for characters, tokens, words, times and word diffs.

    characters  one form for the many ways to write the same character; what a terminal may be shown
    tokens      words, numbers and marks with their offsets, in every script
    words       tokens by language: folded, lemmatised, split at hyphens and clitics (rules)
    times       "3:47 pm", "hace 5 minutos", ISO 8601, RFC 822 → Stamp (sources)
    diff        the word diff a person would draw (reconcile)

Rule: pure; knows nothing of entries, rules or sources.
"""
