"""Documents and pictures of a workspace, whole, damaged and made to do harm."""

from base64 import b64decode
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from PIL import Image

from goclaw.providers.messages import ImagePart
from goclaw.tools.documents import DocumentTools
from goclaw.tools.reading.reader import Reader
from goclaw.tools.workspace import Limits, Workspaces
from tests.tools.conftest import Caller, tool_context
from tests.tools.papers import excel, pdf, picture, powerpoint, word


@pytest.fixture
def call(workspaces: Workspaces) -> Caller:
    return Caller(DocumentTools(workspaces, Reader()).tools())


def keep(workspaces: Workspaces, call: Caller, name: str, data: bytes) -> str:
    workspaces.of(call.context).write(name, data)
    return name


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (pdf("First page", "Second page"), ["PDF", "--- page 2 ---\nSecond page"]),
        (word("A paragraph"), ["Word", "## A heading\nA paragraph\n| left | right |"]),
        (
            excel([["name", "m"], ["whale", 30.5], [None, None]]),
            ["Excel", "## Figures\n| name | m |\n| whale | 30.5 |"],
        ),
        (
            powerpoint("On whales", "Speak slowly"),
            ["PowerPoint", "--- slide 1 ---\nOn whales\n| left | right |\nNotes: Speak slowly"],
        ),
        ("Grüße".encode("utf-16"), ["Text", "Grüße"]),
        (b"", ["[no text]"]),
    ],
    ids=["pdf", "word", "excel", "powerpoint", "text", "empty"],
)
async def test_each_kind(
    workspaces: Workspaces, call: Caller, data: bytes, shown: list[str]
) -> None:
    path = keep(workspaces, call, "file", data)
    text = await call.said("read_document", path=path)
    assert "<<<EXTERNAL" in text
    for part in shown:
        assert part in text


@pytest.mark.parametrize("form", ["text", "pdf"])
async def test_a_long_document_is_read_on(workspaces: Workspaces, call: Caller, form: str) -> None:
    pages = [f"This is page {number}, which holds some text" for number in range(1, 30)]
    data = pdf(*pages) if form == "pdf" else "\n".join(pages).encode()
    path = keep(workspaces, call, "long", data)
    first = await call.said("read_document", path=path, max_chars=500)
    assert "characters 0 to 500; go on with offset 500" in first
    assert "page 29" not in first
    rest = await call.said("read_document", path=path, offset=500, max_chars=50_000)
    assert "the last" in rest
    assert "This is page 29" in rest


def bomb(size: int, parts: int = 1) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * size)
        for number in range(parts - 1):
            archive.writestr(str(number), b"")
    return data.getvalue()


def nested_entities() -> bytes:
    """Billion laughs in a Word document."""
    lines = '<!ENTITY l0 "ha">' + "".join(
        f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};">' for n in range(1, 40)
    )
    evil = f'<?xml version="1.0"?><!DOCTYPE w [{lines}]><w>&l39;</w>'
    data = BytesIO(word("x"))
    again = BytesIO()
    with ZipFile(data) as old, ZipFile(again, "w", ZIP_DEFLATED) as new:
        for item in old.infolist():
            body = evil.encode() if item.filename == "word/document.xml" else old.read(item)
            new.writestr(item.filename, body)
    return again.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7 rubbish", "damaged"),
        (pdf(""), "pictures of text"),
        (b"PK\x03\x04rubbish", "damaged"),
        (word("x")[:-200], "damaged"),
        (bomb(10, parts=1), "damaged"),
        (bomb(100_000_000), "unpacks to 100000000 bytes"),
        (bomb(10, parts=6000), "6000 parts"),
        (nested_entities(), ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "before 2007"),
        (picture("PNG"), "it is a PNG picture"),
        (b"\x7fELF\xff\x00", "a program"),
    ],
    ids=[
        "pdf",
        "no text",
        "zip",
        "cut",
        "empty part",
        "bomb",
        "parts",
        "laughs",
        "old",
        "png",
        "elf",
    ],
)
async def test_what_cannot_be_read(
    workspaces: Workspaces, call: Caller, data: bytes, why: str
) -> None:
    text = await call.refused("read_document", path=keep(workspaces, call, "file", data))
    assert "file cannot be read" in text
    assert why in text


async def test_a_picture_is_shown(workspaces: Workspaces, call: Caller) -> None:
    for form, kind in (("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")):
        data = picture(form)
        result = await call("read_image", path=keep(workspaces, call, "picture", data))
        assert result.text == "picture: 8 x 6 pixels."
        [image] = result.images
        assert image.embedded() is not None
        assert image.url.startswith(f"data:image/{kind};base64,")


async def test_a_large_picture_is_made_smaller(workspaces: Workspaces, call: Caller) -> None:
    for mode, kind in (("RGB", "image/jpeg"), ("RGBA", "image/png")):
        data = picture("PNG", 2500, 100, mode)
        result = await call("read_image", path=keep(workspaces, call, "picture", data))
        [image] = result.images
        assert opened(image) == (kind, (2048, 82))


def opened(part: ImagePart) -> tuple[str, tuple[int, int]]:
    embedded = part.embedded()
    assert embedded is not None
    return embedded[0], Image.open(BytesIO(b64decode(embedded[1]))).size


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no picture", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (picture("BMP"), "no picture"),
        (picture("PNG")[:-40], "damaged"),
        (b"", "no picture"),
    ],
    ids=["text", "svg", "bmp", "cut", "empty"],
)
async def test_what_is_no_picture(
    workspaces: Workspaces, call: Caller, data: bytes, why: str
) -> None:
    result = await call("read_image", path=keep(workspaces, call, "file", data))
    assert result.is_error
    assert why in result.text
    assert not result.images


async def test_a_picture_of_too_many_pixels(workspaces: Workspaces, call: Caller) -> None:
    packed = BytesIO()
    Image.new("1", (10_000, 10_000)).save(packed, "PNG")
    path = keep(workspaces, call, "huge", packed.getvalue())
    assert "10000 x 10000 pixels" in await call.refused("read_image", path=path)


@pytest.mark.parametrize("name", ["read_document", "read_image"])
async def test_paths_sizes_and_users(workspaces: Workspaces, name: str) -> None:
    workspaces._limits = Limits(document_bytes=10)
    tools = DocumentTools(workspaces, Reader()).tools()
    ada, bob = Caller(tools), Caller(tools, tool_context("bob"))
    path = keep(workspaces, ada, "file", b"x" * 11)
    assert "the limit is 10" in await ada.refused(name, path=path)
    assert "there is no file" in await bob.refused(name, path=path)
    assert "refused" in await ada.refused(name, path="../file")
