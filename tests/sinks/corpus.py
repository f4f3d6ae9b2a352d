"""What sources may write: everything that means something to a receiver if it is taken for more than words."""

LONG = "x" * 100_000
CORPUS = {
    "mentions": "<!channel> <!here> <!everyone> <@U024BE7LH> <#C024BE7LR> @here @channel @everyone",
    "mrkdwn": "*bold* _italic_ ~strike~ `code` ```block``` > quote • list :rotating_light:",
    "links": "<https://evil.example|https://bank.example> [x](javascript:alert(1)) https://evil.example",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)></pre><b>&lt;!channel&gt;</b>",
    "escapes": "&lt;!channel&gt; &amp;lt; &#60;!here&#62; \\u003c!channel\\u003e %3C!channel%3E",
    "templates": "{{7*7}} ${jndi:ldap://x} %n%s {0.__class__} $(id) `id` =cmd|' /C calc'!A0",
    "controls": "\x00\x07\x08\x1b[2J\x1b]52;c;aGk=\x07\x1b]8;;http://evil\x1b\\link\x9b31m\x7f",
    "bidi": "\u202edetareb\u202c \u2066hidden\u2069 \u200fRTL \u061c",
    "lines": "one\r\nBcc: victim@example.org\r\n\r\nbody\rover\nX-Evil: 1\x0b\x0c\x85\u2028\u2029.\r\n.\r\nMAIL FROM:<evil>",
    "surrogates": "\ud800 lone \udfff",
    "marks": "a" + "\u0301" * 5_000,
    "emoji": "👩‍👩‍👧‍👦🇩🇪" * 400,
    "long": LONG,
    "longer": (LONG + "<!channel>\n") * 3,
    "blank": " \n\t \n ",
}
SUSPENDED = ' — evacuation "suspended"'
