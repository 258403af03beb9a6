"""The tools for what is no plain text: documents, and pictures for the model to see."""

import asyncio
from typing import Final

from pydantic import BaseModel, Field

from goclaw.providers.messages import ImagePart
from goclaw.tools.files import WORKSPACE, Path, refusal_of
from goclaw.tools.reading.kinds import is_document, text_of
from goclaw.tools.reading.reader import Reader
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.tool import Tool, ToolContext, ToolResult
from goclaw.tools.workspace import Workspaces

CATEGORY: Final = "media"
MAX_CHARS: Final = 50_000
DEFAULT_CHARS: Final = 20_000
TIMEOUT_S: Final = 60


class ReadDocument(BaseModel):
    path: Path
    offset: int = Field(default=0, ge=0, description="Characters to leave out, to read on.")
    max_chars: int = Field(default=DEFAULT_CHARS, ge=100, le=MAX_CHARS)


class ReadImage(BaseModel):
    path: Path


class DocumentTools:
    def __init__(self, workspaces: Workspaces, reader: Reader) -> None:
        self._workspaces = workspaces
        self._reader = reader

    def tools(self) -> list[Tool]:
        return [
            Tool(
                "read_document",
                "Reads the text of a document of the workspace: PDF, Word, Excel, PowerPoint, or "
                "plain text.",
                CATEGORY,
                ReadDocument,
                self.read_document,
                timeout_s=TIMEOUT_S,
                external=True,
                requires=(WORKSPACE,),
            ),
            Tool(
                "read_image",
                "Shows you a picture of the workspace: PNG, JPEG, GIF or WebP.",
                CATEGORY,
                ReadImage,
                self.read_image,
                timeout_s=TIMEOUT_S,
                requires=(WORKSPACE,),
            ),
        ]

    async def read_document(self, ctx: ToolContext, wanted: ReadDocument) -> ToolResult:
        """Marked as a stranger's: documents are what users are sent."""
        try:
            data = await self._data(ctx, wanted.path)
            if not is_document(data):
                return ToolResult(_shown("Text", text_of(data), wanted))
            read = await self._reader.read(
                "document", data, offset=wanted.offset, most_chars=wanted.max_chars
            )
        except (Unreadable, OSError) as error:
            return refusal_of(error, ctx, wanted.path)
        return ToolResult(_part(read["kind"], read["text"], wanted, whole=read["whole"]))

    async def read_image(self, ctx: ToolContext, wanted: ReadImage) -> ToolResult:
        try:
            read = await self._reader.read("picture", await self._data(ctx, wanted.path))
        except (Unreadable, OSError) as error:
            return refusal_of(error, ctx, wanted.path)
        text = f"{wanted.path}: {read['width']} x {read['height']} pixels."
        return ToolResult(
            text, images=[ImagePart(f"data:{read['media_type']};base64,{read['data']}")]
        )

    async def _data(self, ctx: ToolContext, path: str) -> bytes:
        workspace = self._workspaces.of(ctx)
        return await asyncio.to_thread(workspace.read, path, workspace.limits.document_bytes)


def _shown(kind: str, text: str, wanted: ReadDocument) -> str:
    end = wanted.offset + wanted.max_chars
    return _part(kind, text[wanted.offset : end], wanted, whole=len(text) <= end)


def _part(kind: str, text: str, wanted: ReadDocument, *, whole: bool) -> str:
    end = wanted.offset + len(text)
    if whole:
        more = "" if not wanted.offset else f", characters {wanted.offset} to {end}, the last"
    else:
        more = f", characters {wanted.offset} to {end}; go on with offset {end}"
    return f"{kind}{more}\n\n{text or '[no text]'}"
