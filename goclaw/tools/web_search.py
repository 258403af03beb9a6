"""Searching the web: by Brave with a key of its own, by DuckDuckGo without any."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Annotated, Final, Literal, Protocol

from cachetools import TTLCache
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from goclaw.core.errors import GatewayError
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.tool import Tool, ToolContext, ToolResult

MAX_RESULTS: Final = 10
MAX_SNIPPET_CHARS: Final = 600
CACHE_ENTRIES: Final = 100
CACHE_S: Final = 15 * 60

ProviderName = Literal["brave", "duckduckgo"]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]


class WebSearchSettings(BaseModel):
    """Providers are asked in this order, until one answers; Brave only when it has a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: list[ProviderName] = Field(default=["brave", "duckduckgo"], min_length=1)
    brave_api_key: SecretStr | None = None


class WebSearch(BaseModel):
    model_config = ConfigDict(frozen=True)

    query: str = Field(min_length=1, max_length=400)
    count: int = Field(default=5, ge=1, le=MAX_RESULTS)
    country: Code | None = Field(default=None, description="Two letters, such as DE.")
    search_lang: Code | None = Field(default=None, description="Two letters, such as de.")
    freshness: Literal["pd", "pw", "pm", "py"] | None = Field(
        default=None, description="Of the past day, week, month or year."
    )


class Hit(BaseModel):
    title: str
    url: str
    snippet: str


class SearchProvider(Protocol):
    async def search(self, wanted: WebSearch, settings: WebSearchSettings) -> list[Hit]:
        """Raises GatewayError, and Unreadable for what is no answer."""
        ...


class WebSearchTool:
    """`settings` gives what an administrator set at this moment."""

    def __init__(
        self,
        providers: dict[ProviderName, SearchProvider],
        settings: Callable[[], Awaitable[WebSearchSettings]],
    ) -> None:
        self._providers = providers
        self._settings = settings
        self._cache: TTLCache[tuple[ProviderName, WebSearch], list[Hit]] = TTLCache(
            CACHE_ENTRIES, CACHE_S, monotonic
        )

    def tool(self) -> Tool:
        return Tool(
            "web_search",
            "Searches the web: titles, addresses and snippets of pages, best first.",
            "web",
            WebSearch,
            self.run,
            timeout_s=60,
            external=True,
            settings=WebSearchSettings,
        )

    async def run(self, _: ToolContext, wanted: WebSearch) -> ToolResult:
        settings = await self._settings()
        refusals: list[str] = []
        for name in settings.providers:
            try:
                return ToolResult(_shown(await self._hits(name, wanted, settings)))
            except (GatewayError, Unreadable) as error:
                refusals.append(f"{name}: {error}")
        return ToolResult(f"No search works at the moment. {'; '.join(refusals)}.", is_error=True)

    async def _hits(
        self, name: ProviderName, wanted: WebSearch, settings: WebSearchSettings
    ) -> list[Hit]:
        hits = self._cache.get((name, wanted))
        if hits is None:
            hits = (await self._providers[name].search(wanted, settings))[: wanted.count]
            self._cache[name, wanted] = hits
        return hits


def _shown(hits: list[Hit]) -> str:
    if not hits:
        return "Nothing was found."
    return "\n\n".join(
        f"{place}. {hit.title}\n{hit.url}\n{hit.snippet[:MAX_SNIPPET_CHARS]}".rstrip()
        for place, hit in enumerate(hits, start=1)
    )
