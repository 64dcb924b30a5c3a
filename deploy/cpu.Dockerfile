# tempo-edge on a server's CPU, for a team: x86-64 and arm64, Python 3.12, and PostgreSQL's client library.
#   docker build -f deploy/cpu.Dockerfile -t tempo-edge:cpu .
# How to start it, and what of this has been tried: docs/team.md.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY README.md LICENSE NOTICE pyproject.toml ./
COPY export/tempo_export export/tempo_export
COPY kernels/tempo_kernels kernels/tempo_kernels
COPY plugins plugins
COPY tempo_edge tempo_edge
RUN python -m venv /opt/tempo-edge \
    && /opt/tempo-edge/bin/pip install --no-cache-dir --only-binary :all: ".[cpu,serve,team]"

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home tempo \
    && install -d -o tempo -g tempo /data /models
COPY --from=build /opt/tempo-edge /opt/tempo-edge

# Users, the audit log, a library in a file and compiled code lie below /data; profiles may lie in /models.
ENV PATH=/opt/tempo-edge/bin:$PATH \
    HOME=/data \
    XDG_DATA_HOME=/data \
    TEMPO_EDGE_PROFILES=/models \
    NUMBA_CACHE_DIR=/data/numba \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
# What can't be loaded shows here, and not on the server.
RUN NUMBA_CACHE_DIR=/tmp/numba tempo-edge doctor && rm -r /tmp/numba
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=10m --timeout=2m --start-period=2m CMD ["tempo-edge", "doctor"]
ENTRYPOINT ["tempo-edge"]
CMD ["doctor"]
