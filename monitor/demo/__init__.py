"""The demo: a shipped live blog grows and is corrected on a local server while the real daemon watches it.

liveblog.toml  the story       blog    the page at each step (pure)
server         the page and a webhook receiver over HTTP       show    daemon, subscriber and terminal together
"""
