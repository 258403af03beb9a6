"""Model vendors for tests and the bench: real protocols on loopback, scripted replies."""

from tests.upstream.playing import Received
from tests.upstream.script import Call, Script, Usage, call
from tests.upstream.server import ScriptedUpstream

__all__ = ["Call", "Received", "Script", "ScriptedUpstream", "Usage", "call"]
