"""How the vendors on OpenAI's wire are asked to think: no two of them alike.

Each function takes a model and a level (off, low, medium, high) and gives fields of the body;
none for a model that would refuse them.
"""

import re
from typing import Final

from goclaw.providers.messages import Json

_UNTHINKING: Final = ("gpt-3.5", "gpt-4", "chatgpt-4")
_MISTRAL_ADJUSTABLE: Final = ("mistral-small", "mistral-medium-3-5", "mistral-medium-3.5")
_GROK_ADJUSTABLE: Final = re.compile(r"grok-(?:4\.[3-9](?!\d)|[5-9]|latest)")


def _bare(model: str) -> str:
    return model.rpartition("/")[2]


def openai(model: str, level: str) -> Json:
    """Servers that only speak like OpenAI are trusted to ignore or refuse what they don't know."""
    if level == "off" or _bare(model).startswith(_UNTHINKING):
        return {}
    return {"reasoning_effort": level}


def groq(model: str, level: str) -> Json:
    """console.groq.com/docs/reasoning: Qwen knows on and off alone."""
    if "gpt-oss" in model:
        return {} if level == "off" else {"reasoning_effort": level}
    if "qwen" in model:
        effort = "none" if level == "off" else "default"
        return {"reasoning_effort": effort, "reasoning_format": "parsed"}
    return {}


def deepseek(_model: str, level: str) -> Json:
    """api-docs.deepseek.com/guides/thinking_mode: on unless told otherwise; no medium."""
    if level == "off":
        return {"thinking": {"type": "disabled"}}
    effort = "low" if level == "low" else "high"
    return {"thinking": {"type": "enabled"}, "reasoning_effort": effort}


def mistral(model: str, level: str) -> Json:
    """docs.mistral.ai: some models take high and none, Magistral always thinks."""
    if not model.startswith(_MISTRAL_ADJUSTABLE):
        return {}
    return {"reasoning_effort": "none" if level == "off" else "high"}


def xai(model: str, level: str) -> Json:
    """docs.x.ai/guides/reasoning: most models refuse the field, Grok 3 mini knows no medium."""
    if level == "off":
        return {}
    if model.startswith("grok-3-mini"):
        return {"reasoning_effort": "low" if level == "low" else "high"}
    return {"reasoning_effort": level} if _GROK_ADJUSTABLE.match(model) else {}


def ollama(_model: str, level: str) -> Json:
    return {"reasoning_effort": "none" if level == "off" else level}
