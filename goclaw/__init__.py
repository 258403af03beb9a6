"""GoClaw: a multi-tenant gateway for AI agents."""
