"""Files as a model reads, writes, edits and lists them."""

import pytest

from goclaw.providers.messages import ToolCall
from goclaw.tools.files import MAX_CHARS, FileTools
from goclaw.tools.workspace import Limits, Workspaces
from tests.tools.conftest import Caller, tool_context


@pytest.fixture
def call(workspaces: Workspaces) -> Caller:
    return Caller(FileTools(workspaces).tools())


async def test_written_read_edited_listed(call: Caller) -> None:
    assert await call.said("list_files") == "There are no files here yet."
    assert "Wrote 12 bytes" in await call.said("write_file", path="a/b.md", content="Grüße 1\r\n2")
    assert await call.said("read_file", path="a/b.md") == "Grüße 1\r\n2"
    assert "Replaced 1 occurrence in" in await call.said(
        "edit", path="a/b.md", old_string="1", new_string="one"
    )
    assert await call.said("read_file", path="./a/b.md") == "Grüße one\r\n2"
    assert await call.said("list_files") == "[DIR]  a/\n[FILE] a/b.md (14 bytes)"


async def test_a_long_file_is_read_in_pages(call: Caller) -> None:
    await call.said("write_file", path="long", content="".join(f"line {n}\n" for n in range(5000)))
    first = await call.said("read_file", path="long")
    assert first.startswith("line 0\n")
    assert first.endswith("[lines 1 to 2000 of 5000; go on with offset 2001]")
    last = await call.said("read_file", path="long", offset=4999)
    assert last == "line 4998\nline 4999\n"
    assert await call.said("read_file", path="long", offset=2, limit=1) == (
        "line 1\n[lines 2 to 2 of 5000; go on with offset 3]"
    )
    assert "has 5000 lines" in await call.refused("read_file", path="long", offset=5001)


async def test_no_page_is_longer_than_a_result_may_be(call: Caller) -> None:
    await call.said("write_file", path="wide", content=("x" * 40_000 + "\n") * 3)
    page = await call.said("read_file", path="wide")
    assert page.endswith("[lines 1 to 1 of 3; go on with offset 2]")
    await call.said("write_file", path="wide", content="y" * 200_000)
    page = await call.said("read_file", path="wide")
    assert len(page) < MAX_CHARS + 200
    assert "it has 200000 characters" in page


async def test_what_is_no_text_is_called_what_it_is(call: Caller, workspaces: Workspaces) -> None:
    workspace = workspaces.of(call.context)
    for data, name in (
        (b"\x89PNG\r\n\x1a\n\x00\xff", "a PNG picture"),
        (b"%PDF-1.7\xff", "a PDF document"),
        (b"a\x00b", "binary data"),
    ):
        workspace.write("file", data)
        assert name in await call.refused("read_file", path="file")
        assert "no text" in await call.refused("edit", path="file", old_string="a", new_string="b")
    workspace.write("file", "\ufeffhello".encode())
    assert await call.said("read_file", path="file") == "hello"
    workspace.write("file", "hello".encode("utf-16"))
    assert await call.said("read_file", path="file") == "hello"
    workspace.write("file", b"")
    assert await call.said("read_file", path="file") == "[the file is empty]"


async def test_weakness_42_users_and_agents_do_not_share_files(workspaces: Workspaces) -> None:
    tools = FileTools(workspaces).tools()
    ada, bob = Caller(tools), Caller(tools, tool_context("bob"))
    await ada.said("write_file", path="mine", content="ada's")
    assert "no file" in await bob.refused("read_file", path="mine")
    await bob.said("write_file", path="mine", content="bob's")
    assert await ada.said("read_file", path="mine") == "ada's"
    path = f"../{workspaces.of(bob.context).folder.name}/mine"
    assert "refused" in await ada.refused("read_file", path=path)


@pytest.mark.parametrize("name", ["read_file", "write_file", "edit", "list_files"])
@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", ".goclaw-1", "a\x00"])
async def test_paths_that_lead_out_are_refused_by_each_tool(
    call: Caller, name: str, path: str
) -> None:
    more = {"content": "", "old_string": "x", "new_string": "y"}
    await call.refused(name, path=path, **more)


async def test_rubbish_is_told_to_the_model(call: Caller) -> None:
    assert "Wrong arguments" in await call.refused("read_file")
    assert "offset" in await call.refused("read_file", path="a", offset=0)
    assert "content" in await call.refused("write_file", path="a", content=[1])
    assert "old_string" in await call.refused("edit", path="a", old_string="", new_string="")
    assert "name a file" in await call.refused("write_file", path="", content="")
    await call.said("write_file", path="a/b", content="x")
    assert "is a folder" in await call.refused("read_file", path="a")
    assert "no folder" in await call.refused("write_file", path="a/b/c", content="x")
    assert "there is no z" in await call.refused("list_files", path="z")


async def test_a_folder_that_cannot_be_used_is_told(
    workspaces: Workspaces,
) -> None:
    call = Caller(FileTools(workspaces).tools())
    folder = workspaces.of(call.context).folder
    folder.parent.parent.mkdir(parents=True)
    folder.parent.write_text("a file where a folder should be")
    assert "The workspace does not work" in await call.refused("list_files")


async def test_limits_are_told(workspaces: Workspaces) -> None:
    workspaces._limits = Limits(write_bytes=10)
    call = Caller(FileTools(workspaces).tools())
    assert "the limit is 10" in await call.refused("write_file", path="a", content="x" * 11)
    half_a_character = ToolCall("1", "write_file", '{"path": "a", "content": "\\ud800"}')
    assert "surrogate" in (await call.box.call(call.context, half_a_character)).text
