# The page and the API. Built for amd64 and arm64; needs no network when it runs. Any base with Python 3.11 or newer will do.
ARG BASE=python:3.12-slim
FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/patchloom
# The CPU build of torch: the default one brings several GB for graphics cards.
RUN /opt/patchloom/bin/pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/patchloom/bin/pip install --no-cache-dir '.[web,metrics]'

FROM ${BASE}
COPY --from=build /opt/patchloom /opt/patchloom
# Compiled loops are cached where a read-only root allows it.
ENV PATH=/opt/patchloom/bin:$PATH NUMBA_CACHE_DIR=/tmp/numba PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 10001 patchloom
USER patchloom
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/api/health')"]
ENTRYPOINT ["patchloom", "serve", "--host", "0.0.0.0", "--port", "8080"]
