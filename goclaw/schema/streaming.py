"""A subscription as payloads, whatever carries them."""

from collections.abc import AsyncGenerator
from typing import Any

from goclaw.schema.admission import Admission
from goclaw.schema.execution import (
    Asked,
    Payload,
    Refused,
    document_of,
    executor_of,
    show_event,
    source_of,
)
from goclaw.schema.refusals import shown


async def payloads(admission: Admission, asked: Asked) -> AsyncGenerator[Payload, None]:
    """Each event is loaded for a caller who was asked about within the last second.

    Raises Refused for what cannot begin, and when the stream ends before its time.
    """
    ctx = admission.context()
    document = document_of(asked, ctx.request_id)
    executor = executor_of(ctx, asked, document)
    source: Any = await source_of(executor)
    try:
        async for event in source:
            yield await show_event(executor, admission.context(), event)
    except GeneratorExit:
        raise
    except Exception as error:
        raise Refused([shown(error, ctx.request_id)], 200) from error
    finally:
        await source.aclose()
