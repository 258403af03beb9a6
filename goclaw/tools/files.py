"""The tools for files: each works in the workspace of the agent and the user it is called for."""

import asyncio
import os
from collections.abc import Callable
from typing import Annotated, Final, NamedTuple, TypeVar

import structlog
from pydantic import BaseModel, Field

from goclaw.core.context_files import MAX_FILE_CHARS
from goclaw.tools.context_files import (
    ContextFiles,
    NoContextFiles,
    OwnFiles,
    context_file,
    is_top,
)
from goclaw.tools.paths import MAX_PATH_CHARS, PathRefused
from goclaw.tools.reading.kinds import text_of
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.tool import Tool, ToolContext, ToolResult
from goclaw.tools.workspace import FileRefused, Workspace, Workspaces, occurrences

log = structlog.get_logger()

T = TypeVar("T")

CATEGORY: Final = "filesystem"
WORKSPACE: Final = "workspace"
"""What these tools require."""
MAX_CHARS: Final = 50_000
"""Of one result: more would be cut on its way to the model, and without a word on how to go on."""
MAX_LINES: Final = 2_000
MAX_ENTRIES: Final = 500
TIMEOUT_S: Final = 20

Path = Annotated[
    str, Field(max_length=MAX_PATH_CHARS, description="Relative to the workspace: notes/today.md")
]


class ReadFile(BaseModel):
    path: Path
    offset: int = Field(default=1, ge=1, description="The first line to read; lines count from 1.")
    limit: int = Field(
        default=MAX_LINES, ge=1, le=MAX_LINES, description="How many lines to read at most."
    )


class WriteFile(BaseModel):
    path: Path
    content: str = Field(description="All that the file is to hold.")


class EditFile(BaseModel):
    path: Path
    old_string: str = Field(
        min_length=1, description="What to replace, exactly as it stands there."
    )
    new_string: str = Field(description="What to put in its place.")
    replace_all: bool = Field(default=False, description="Every occurrence, not just the only one.")


class ListFiles(BaseModel):
    path: Path = Field(default="", description="A folder; the whole workspace when left out.")


class FileTools:
    def __init__(self, workspaces: Workspaces, context: ContextFiles | None = None) -> None:
        self._workspaces = workspaces
        self._context = context or NoContextFiles()

    def tools(self) -> list[Tool]:
        return [
            Tool(
                "read_file",
                "Reads a text file of the workspace: at most "
                f"{MAX_LINES} lines or {MAX_CHARS} characters from line `offset` on.",
                CATEGORY,
                ReadFile,
                self.read,
                timeout_s=TIMEOUT_S,
                requires=(WORKSPACE,),
            ),
            Tool(
                "write_file",
                "Writes a file of the workspace, with the folders on the way to it. What it held "
                "before is gone.",
                CATEGORY,
                WriteFile,
                self.write,
                timeout_s=TIMEOUT_S,
                requires=(WORKSPACE,),
            ),
            Tool(
                "edit",
                "Replaces a piece of text in a file of the workspace. `old_string` must occur "
                "exactly once, unless `replace_all` is set.",
                CATEGORY,
                EditFile,
                self.edit,
                timeout_s=TIMEOUT_S,
                requires=(WORKSPACE,),
            ),
            Tool(
                "list_files",
                "Lists the files and folders of the workspace with their sizes in bytes.",
                CATEGORY,
                ListFiles,
                self.list,
                timeout_s=TIMEOUT_S,
                requires=(WORKSPACE,),
            ),
        ]

    async def read(self, ctx: ToolContext, wanted: ReadFile) -> ToolResult:
        if (meant := await self._meant(ctx, wanted.path)) is not None:
            return _told(lambda: page_of(_there(meant.name, meant.files.read(meant.name)), wanted))

        def work(workspace: Workspace) -> str:
            data = workspace.read(wanted.path, workspace.limits.write_bytes)
            return page_of(text_of(data), wanted)

        return await in_workspace(self._workspaces, ctx, wanted.path, work)

    async def write(self, ctx: ToolContext, wanted: WriteFile) -> ToolResult:
        if (meant := await self._meant(ctx, wanted.path)) is not None:
            await meant.files.change(meant.name, lambda _: wanted.content)
            if not wanted.content.strip():
                return ToolResult(f"{meant.name} is empty now, and gone.")
            return ToolResult(f"Wrote {len(wanted.content)} characters to {meant.name}.")

        def work(workspace: Workspace) -> str:
            data = wanted.content.encode()
            workspace.write(wanted.path, data)
            return f"Wrote {len(data)} bytes to {wanted.path}."

        return await in_workspace(self._workspaces, ctx, wanted.path, work)

    async def edit(self, ctx: ToolContext, wanted: EditFile) -> ToolResult:
        if (meant := await self._meant(ctx, wanted.path)) is not None:
            return await _edited(meant, wanted)

        def work(workspace: Workspace) -> str:
            count = workspace.edit(
                wanted.path, wanted.old_string, wanted.new_string, every=wanted.replace_all
            )
            return _replaced(count, wanted.path)

        return await in_workspace(self._workspaces, ctx, wanted.path, work)

    async def list(self, ctx: ToolContext, wanted: ListFiles) -> ToolResult:
        """Context files stand at the top of the workspace, though they are not in it."""
        files = await self._context.of(ctx) if is_top(wanted.path) else None
        context = {} if files is None else files.readable()

        def work(workspace: Workspace) -> str:
            entries, whole = workspace.entries(wanted.path, MAX_ENTRIES)
            lines = [
                f"[FILE] {name} ({len(text)} characters, part of your prompt)"
                for name, text in context.items()
            ]
            lines += [
                f"[DIR]  {entry.path}/"
                if entry.size_bytes is None
                else f"[FILE] {entry.path} ({entry.size_bytes} bytes)"
                for entry in entries
                if files is None or context_file(entry.path) is None
            ]
            if not whole:
                lines.append(f"[only the first {MAX_ENTRIES}; name a folder to see what is in it]")
            return "\n".join(lines) or "There are no files here yet."

        return await in_workspace(self._workspaces, ctx, wanted.path, work)

    async def _meant(self, ctx: ToolContext, path: str) -> "Meant | None":
        """None for a file of the workspace."""
        name = context_file(path)
        files = None if name is None else await self._context.of(ctx)
        return None if name is None or files is None else Meant(name, files)


class Meant(NamedTuple):
    """A context file that is meant, and the files it is one of."""

    name: str
    files: OwnFiles


async def _edited(meant: Meant, wanted: EditFile) -> ToolResult:
    count = 0

    def change(text: str | None) -> str:
        nonlocal count
        old = _there(meant.name, text)
        count = occurrences(old, wanted.old_string, meant.name, every=wanted.replace_all)
        grown = len(old) + count * (len(wanted.new_string) - len(wanted.old_string))
        if grown > MAX_FILE_CHARS:  # before there is such a text
            raise FileRefused(
                f"{meant.name} would have {grown} characters; the limit is {MAX_FILE_CHARS}"
            )
        return old.replace(wanted.old_string, wanted.new_string)

    try:
        await meant.files.change(meant.name, change)
    except FileRefused as error:
        return ToolResult(f"{error}.", is_error=True)
    return ToolResult(_replaced(count, meant.name))


def _there(name: str, text: str | None) -> str:
    if text is None:
        raise FileRefused(f"there is no file {name}")
    return text


def _told(text: Callable[[], str]) -> ToolResult:
    try:
        return ToolResult(text())
    except FileRefused as error:
        return ToolResult(f"{error}.", is_error=True)


def _replaced(count: int, path: str) -> str:
    return f"Replaced {count} occurrence{'s' if count > 1 else ''} in {path}."


async def in_workspace(
    workspaces: Workspaces, ctx: ToolContext, path: str, work: Callable[[Workspace], str]
) -> ToolResult:
    """Runs what blocks in a thread; what goes wrong is told to the model."""
    try:
        return ToolResult(await asyncio.to_thread(work, workspaces.of(ctx)))
    except (Unreadable, OSError) as error:
        return refusal_of(error, ctx, path)


def refusal_of(error: Unreadable | OSError, ctx: ToolContext, path: str) -> ToolResult:
    """In words for the model, without paths of the server."""
    match error:
        case PathRefused() | FileRefused():
            text = f"{error}."
        case Unreadable():
            text = f"{path} cannot be read: {error}."
        case OSError():
            log.warning("workspace.failed", run_id=str(ctx.run_id), errno=error.errno)
            text = f"The workspace does not work: {os.strerror(error.errno or 0)}."
    return ToolResult(text, is_error=True)


def page_of(text: str, wanted: ReadFile) -> str:
    """Those lines, and where to go on. Raises FileRefused beyond the end."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return "[the file is empty]"
    if wanted.offset > len(lines):
        raise FileRefused(f"{wanted.path} has {len(lines)} lines, fewer than {wanted.offset}")
    kept: list[str] = []
    left = MAX_CHARS
    for line in lines[wanted.offset - 1 :][: wanted.limit]:
        if len(line) > left and kept:
            break
        kept.append(_within(line, left))
        left -= len(kept[-1])
    last = wanted.offset - 1 + len(kept)
    page = "".join(kept)
    if last == len(lines):
        return page
    return f"{page}[lines {wanted.offset} to {last} of {len(lines)}; go on with offset {last + 1}]"


def _within(line: str, chars: int) -> str:
    if len(line) <= chars:
        return line
    return f"{line[:chars]}\n[the line goes on: it has {len(line)} characters]\n"
