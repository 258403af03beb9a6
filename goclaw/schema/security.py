import strawberry

from goclaw.models import system as models
from goclaw.models.findings import FindingStatus
from goclaw.resolvers.checkup import get_security_overview
from goclaw.schema.field import described, field
from goclaw.schema.info import Info


@strawberry.type(description="What was found out about one thing.")
class Finding:
    subject: str = described("What it is about.")
    status: FindingStatus = described("How that is.")
    text: str = described("What was found.")
    fix: str = described("What to do about it; empty where nothing has to be done.")


@strawberry.type(description="How safe the server is.")
class SecurityOverview:
    well: bool = described("Nothing failed.")
    findings: list[Finding] = described("What `goclaw doctor` finds in settings and database.")


@strawberry.type
class SecurityQuery:
    @field(SecurityOverview, "How safe the server is, and what to do about it.")
    async def security_overview(self, info: Info) -> models.SecurityOverview:
        return await get_security_overview(info.context)
