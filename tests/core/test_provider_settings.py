"""`docs/providers.md` lists every setting with its default and range, and every cause."""

import re
from pathlib import Path

from annotated_types import Ge, Le

from goclaw.core.provider_settings import CAUSES, ProviderSettings

PAGE = (Path(__file__).parent.parent.parent / "docs" / "providers.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", re.MULTILINE)
ROWS = {name: (default, allowed) for name, default, allowed in ROW.findall(PAGE)}


def test_every_setting_is_in_the_table() -> None:
    assert list(ROWS) == list(ProviderSettings.model_fields)


def test_numbers_have_the_defaults_and_ranges_of_the_table() -> None:
    for name, field in ProviderSettings.model_fields.items():
        least = next((m.ge for m in field.metadata if isinstance(m, Ge)), None)
        most = next((m.le for m in field.metadata if isinstance(m, Le)), None)
        if least is not None:
            assert ROWS[name] == (f"{field.default:g}", f"{least} to {most}"), name


def test_every_cause_is_named() -> None:
    assert all(f"`{cause}`" in PAGE for cause in CAUSES)
