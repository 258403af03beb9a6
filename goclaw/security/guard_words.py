"""The words of the guard: what orders look like in which language, and letters that look alike."""

import re
from typing import Final, NamedTuple

SENTENCE_END: Final = re.compile(r"[.!?。！？\n]")
UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f]"
)
LOOK_ALIKES: Final = dict(
    zip("аеорсухіјѕԁһӏαεορυικνтмкв", "aeopcyxijsdhlaeopuikvtmkb", strict=True)
)
PLAIN_RANGES: Final = ((0xC0, 0x250), (0x1E00, 0x1F00), (0xFF01, 0xFF5F), (0x1D400, 0x1D800))
"""Letters with accents, wide ones, and those that mathematicians use."""


class Wording(NamedTuple):
    """`deny` and `rules` come in this order, or in the other where `turned`. Where words are not
    parted by spaces, `spaced` is false.
    """

    deny: str
    rules: str
    spaced: bool = True
    turned: bool = False


WORDINGS: Final = (
    Wording(
        "ignor(?:e|ing)|disregard|forget|override|bypass|neglect|do not (?:follow|obey)"
        "|don.t (?:follow|obey)|stop (?:following|obeying)|pay no attention to",
        "instructions?|rules?|prompts?|directives?|guidelines?|restrictions?",
    ),
    Wording(
        r"ignorier\w*|missacht\w*|vergiss|vergesst|vergessen sie|übergeh\w*|umgeh\w*",
        r"anweisung\w*|regeln?|vorgaben?|instruktion\w*|richtlinien?|prompts?",
    ),
    Wording(
        r"ignor(?:e|es|ez|er)|oubli(?:e|es|ez|er)|ne tiens pas compte|ne tenez pas compte",
        r"instructions?|consignes?|règles?|directives?|prompts?",
    ),
    Wording(
        r"ignor(?:a|e|en|ar)|olvid(?:a|e|en|ar)|haz caso omiso|descarta",
        r"instrucci[oó]n\w*|reglas?|directri\w+|indicaci[oó]n\w*",
    ),
    Wording(
        r"ignor(?:e|a|ar|em)|esque[cç]a\w*|desconsider\w*",
        r"instru[cç]\w+|regras?|diretriz\w*|orienta[cç]\w+",
    ),
    Wording(r"ignora(?:re|te)?|dimentica\w*|trascura\w*", r"istruzion\w+|regol\w+|direttiv\w+"),
    Wording(r"negeer|vergeet", r"instructies?|regels?|aanwijzing\w*|richtlijn\w*"),
    Wording(r"zignoruj\w*|ignoruj\w*|zapomnij\w*", r"instrukcj\w+|polece\w+|zasad\w*|wytyczn\w+"),
    Wording(
        r"игнорируй\w*|проигнорируй\w*|забудь\w*|не следуй\w*|не обращай\w* внимания",
        r"инструкци\w*|указани\w*|правил\w*|промпт\w*",
    ),
    Wording(r"bỏ qua|phớt lờ|quên|không tuân theo", r"hướng dẫn|chỉ dẫn|chỉ thị|quy tắc|câu lệnh"),
    Wording(r"abaikan|lupakan", r"instruksi|perintah|aturan"),
    Wording(r"yok say\w*|görmezden gel\w*|unut\w*", r"talimat\w*|kural\w*|yönerge\w*", turned=True),
    Wording(r"تجاهل|انس", r"التعليمات|الأوامر|القواعد"),
    Wording(
        "忽略|无视|無視|忘记|忘記|不要遵守|不要理会",
        "指令|指示|规则|規則|提示词|说明",
        spaced=False,
    ),
    Wording("無視|忘れ", "指示|命令|ルール|規則|プロンプト", spaced=False, turned=True),
    Wording("무시|잊", "지시|명령|규칙|프롬프트|지침", spaced=False, turned=True),
)
PATTERNS: Final = {
    "role_override": (
        ("you are", "you will", "pretend", "act as if"),
        (
            r"\b(?:you are now|from now on,? you (?:are|will)|pretend (?:to be|you are)"
            r"|act as if|imagine (?:that )?you are)\b"
        ),
    ),
    "system_tags": (
        ("system", "inst]", "sys>", "<|"),
        (
            r"</?\s?system\s?>|\[/?(?:system|inst)\]|<</?sys>>|<\|\s?(?:im_start|im_end"
            r"|system|user|assistant|endoftext)\s?\|>"
        ),
    ),
    "new_instructions": (
        ("instruction", "system prompt", "override"),
        r"\b(?:new instructions?|system prompt|override)\s?:",
    ),
    "delimiters": (
        ("end of", "begin user", "instruction", "<rules", "/rules", "prompt>", "context>"),
        (
            r"\b(?:end of (?:the )?system|begin user input)\b"
            r"|</?(?:instructions?|rules|prompt|context)>"
        ),
    ),
}
"""By kind: without one of these parts of words in it, a text need not be searched."""
