# tempo-edge on a Jetson Orin: JetPack 6.1 or 6.2 (L4T r36.4), arm64, Python 3.10.
#   docker build -f deploy/jetson.Dockerfile -t tempo-edge:jetson .
# How to start it, and what of this has been tried: docs/deploy.md.

# CUDA 12.6, cuDNN 9.3 and TensorRT 10.3, as on the board.
FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0 AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake g++ make python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY CMakeLists.txt ./
COPY kernels/cpp kernels/cpp
COPY kernels/cuda kernels/cuda
COPY kernels/include kernels/include
# 87 is the Orin.
RUN cmake -S . -B build -DCMAKE_CUDA_COMPILER=/usr/local/cuda/bin/nvcc -DCMAKE_CUDA_ARCHITECTURES=87 \
    && cmake --build build --parallel \
    && install -D -t /opt/kernels build/libtempo_kernels.so build/libtempo_kernels_cuda.so

# PyPI's onnxruntime-gpu for arm64 is for CUDA 13 and Python 3.11. This wheel alone comes from the
# Jetson index; all else, what it depends on included, from PyPI.
ARG JETSON_INDEX=https://pypi.jetson-ai-lab.io/jp6/cu126
COPY README.md LICENSE NOTICE pyproject.toml ./
COPY export/tempo_export export/tempo_export
COPY kernels/tempo_kernels kernels/tempo_kernels
COPY plugins plugins
COPY tempo_edge tempo_edge
RUN python3 -m venv /opt/tempo-edge \
    && /opt/tempo-edge/bin/pip install --no-cache-dir --only-binary :all: . "faiss-cpu>=1.8" \
        coloredlogs flatbuffers packaging protobuf sympy \
    && /opt/tempo-edge/bin/pip install --no-cache-dir --only-binary :all: --no-deps \
        --index-url "$JETSON_INDEX" onnxruntime-gpu==1.23.0

FROM nvcr.io/nvidia/l4t-jetpack:r36.4.0
# Only the group video may open the GPU's devices.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --groups video --home-dir /data --no-create-home tempo \
    && install -d -o tempo -g tempo /data /models
COPY --from=build /opt/kernels /opt/kernels
COPY --from=build /opt/tempo-edge /opt/tempo-edge

# The library, installed profiles and compiled code lie below /data; more profiles may lie in /models.
ENV PATH=/opt/tempo-edge/bin:$PATH \
    HOME=/data \
    XDG_DATA_HOME=/data \
    TEMPO_EDGE_PROFILES=/models \
    TEMPO_KERNELS_PATH=/opt/kernels \
    NUMBA_CACHE_DIR=/data/numba \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
# What can't be loaded shows here, and not on the board.
RUN NUMBA_CACHE_DIR=/tmp/numba tempo-edge doctor && rm -r /tmp/numba
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=10m --timeout=2m --start-period=2m CMD ["tempo-edge", "doctor"]
ENTRYPOINT ["tempo-edge"]
CMD ["doctor"]
