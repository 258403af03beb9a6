"""The process of the embedded model. Started by `LocalModelProcess`, ends with its stdin."""

import json
import os
import sys
from typing import Any, Final

import xllamacpp

CONTEXT_TOKENS: Final = 8192
"""What SmolLM2-135M was trained on; shared by the slots."""

SLOTS: Final = 2
THREADS: Final = 2
PROMPT_CACHE_MIB: Final = 256


def parameters(orders: dict[str, Any]) -> "xllamacpp.CommonParams":
    params = xllamacpp.CommonParams()
    params.model.path = orders["model"]
    params.model_alias = {orders["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = orders["port"]
    params.api_keys = [orders["api_key"]]
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = SLOTS
    params.kv_unified = True
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_prompt = True
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.n_threads_http = 4
    params.ui = False
    params.endpoint_slots = False
    params.cors_origins = ""
    params.verbosity = 1
    return params


def main() -> None:
    server = xllamacpp.Server(parameters(json.loads(sys.stdin.readline())))
    sys.stdin.read()
    # Not by way of the server's destructor, which waits for answers still being written.
    os._exit(0 if server else 1)


if __name__ == "__main__":
    main()
