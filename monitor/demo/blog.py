"""The demo's live blog as text, at each step of its day. Pure but for reading the shipped file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources

LAST_STAMP_HOUR = 15  # the story's last stamp is 3:47 pm


@dataclass(frozen=True, slots=True)
class Post:
    """One entry of the demo's page."""

    time: str
    title: str | None
    paragraphs: tuple[str, ...]
    appears: int
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """Words that an editor mends at a step."""

    step: int
    time: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveBlog:
    """The whole story."""

    title: str
    intro: tuple[str, ...]
    background: tuple[str, ...]
    posts: tuple[Post, ...]  # oldest first
    corrections: tuple[Correction, ...]

    @property
    def last_step(self) -> int:
        steps = [post.appears for post in self.posts] + [fix.step for fix in self.corrections]
        return max(steps + [post.withdrawn for post in self.posts if post.withdrawn is not None])

    def page(self, step: int) -> str:
        """Return the page as it stands at `step`: stamped text, newest first, three blank lines between entries."""
        blocks = ["\n\n".join([self.title, *self.intro])]
        for post in reversed(self.posts):
            if post.appears <= step and (post.withdrawn is None or step < post.withdrawn):
                shown = self._corrected(post, step)
                blocks.append("\n\n".join(part for part in (shown.time, shown.title, *shown.paragraphs) if part))
        return "\n\n\n".join(blocks) + "\n\n\n\n" + "\n\n".join(self.background) + "\n"

    def _corrected(self, post: Post, step: int) -> Post:
        for fix in self.corrections:
            if fix.time == post.time and fix.step <= step:
                for old, new in zip(fix.old, fix.new, strict=True):
                    post = replace(post, paragraphs=tuple(text.replace(old, new) for text in post.paragraphs))
        return post


def load_blog() -> LiveBlog:
    """Return the story shipped with the package."""
    story = tomllib.loads(resources.files("monitor.demo").joinpath("liveblog.toml").read_text(encoding="utf-8"))
    withdrawn = {item["time"]: item["step"] for item in story.get("withdrawal", ())}
    return LiveBlog(
        title=story["title"],
        intro=tuple(story["intro"]),
        background=tuple(story["background"]),
        posts=tuple(
            Post(post["time"], post.get("title"), tuple(post["text"]), post.get("step", 0), withdrawn.get(post["time"]))
            for post in story["entry"]
        ),
        corrections=tuple(
            Correction(fix["step"], fix["time"], tuple(fix["old"]), tuple(fix["new"])) for fix in story["correction"]
        ),
    )


def zone_of_the_story(now: datetime) -> str:
    """Return the fixed-offset zone in which `now` (aware) is the hour after the story's last stamp.

    The stamps have no date; read in this zone they all lie within the last hours, whenever the demo is run.
    """
    ahead = (LAST_STAMP_HOUR + 1 - now.utctimetuple().tm_hour + 12) % 24 - 12
    return "Etc/GMT" if ahead == 0 else f"Etc/GMT{-ahead:+d}"  # the sign of these names is inverted (tzdata, etcetera)
