# The page and the API. Built for amd64 and arm64; needs no network when it runs.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
# The CPU build of torch: the default one brings several GB for graphics cards.
RUN pip install --no-cache-dir --prefix /installed torch --index-url https://download.pytorch.org/whl/cpu \
 && PYTHONPATH=/installed/lib/python3.12/site-packages pip install --no-cache-dir --prefix /installed '.[web]'

FROM python:3.12-slim
COPY --from=build /installed /usr/local
# Compiled loops are cached where a read-only root allows it.
ENV NUMBA_CACHE_DIR=/tmp/numba PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 10001 patchloom
USER patchloom
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/api/health')"]
ENTRYPOINT ["patchloom", "serve", "--host", "0.0.0.0", "--port", "8080"]
