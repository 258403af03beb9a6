"""Pictures as vendors take them: of the four formats they all know, and not too large."""

from io import BytesIO
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from goclaw.tools.reading.unreadable import Unreadable

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS: Final = 64_000_000
MAX_SIDE: Final = 2_048
"""Vendors scale down what is larger, and charge for it."""
MAX_BYTES: Final = 3_500_000
"""The smallest limit among vendors is 5 MB in base64."""
QUALITY: Final = 85


def read(data: bytes) -> dict[str, Any]:
    """As it is, or smaller. Raises Unreadable."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Unreadable(f"it has {width} x {height} pixels; the limit is {MAX_PIXELS}")
        image.load()
    except UnidentifiedImageError:
        raise Unreadable("it is no picture in PNG, JPEG, GIF or WebP") from None
    media_type = Image.MIME[image.format or ""]
    if max(width, height) > MAX_SIDE or len(data) > MAX_BYTES:
        data, media_type = _smaller(image)
    return {"media_type": media_type, "width": width, "height": height, "data": data}


def _smaller(image: Image.Image) -> tuple[bytes, str]:
    """JPEG, or PNG where something shines through and it stays small."""
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    if image.has_transparency_data:
        packed = BytesIO()
        image.convert("RGBA").save(packed, "PNG")
        if packed.tell() <= MAX_BYTES:
            return packed.getvalue(), "image/png"
    packed = BytesIO()
    image.convert("RGB").save(packed, "JPEG", quality=QUALITY)
    return packed.getvalue(), "image/jpeg"
