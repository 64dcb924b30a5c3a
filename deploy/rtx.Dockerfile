# tempo-edge on a desktop with an NVIDIA RTX card: x86-64, CUDA 13, Python 3.12.
#   docker build -f deploy/rtx.Dockerfile -t tempo-edge:rtx .
# How to start it, and what of this has been tried: docs/deploy.md.

# For a driver that knows no CUDA 13: 12.8.1 here and below, and --build-arg ONNXRUNTIME=1.26.0
FROM nvidia/cuda:13.0.1-devel-ubuntu24.04 AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake g++ make python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY CMakeLists.txt ./
COPY kernels/cpp kernels/cpp
COPY kernels/cuda kernels/cuda
COPY kernels/include kernels/include
# Turing (RTX 20) to Hopper; the driver compiles the last one's PTX for cards that came later.
RUN cmake -S . -B build -DCMAKE_CUDA_COMPILER=/usr/local/cuda/bin/nvcc \
        "-DCMAKE_CUDA_ARCHITECTURES=75;80;86;89;90" \
    && cmake --build build --parallel \
    && install -D -t /opt/kernels build/libtempo_kernels.so build/libtempo_kernels_cuda.so

# From 1.27 on, PyPI's onnxruntime-gpu is built for CUDA 13.
ARG ONNXRUNTIME=1.31.1
# TensorRT 10 is what that is linked against: --build-arg TENSORRT=tensorrt-cu13==10.16.1.11
ARG TENSORRT=""
COPY README.md LICENSE NOTICE pyproject.toml ./
COPY export/tempo_export export/tempo_export
COPY kernels/tempo_kernels kernels/tempo_kernels
COPY plugins plugins
COPY tempo_edge tempo_edge
RUN python3 -m venv /opt/tempo-edge \
    && /opt/tempo-edge/bin/pip install --no-cache-dir --only-binary :all: . "faiss-cpu>=1.8" \
        "onnxruntime-gpu==$ONNXRUNTIME" \
    && if [ -n "$TENSORRT" ]; then /opt/tempo-edge/bin/pip install --no-cache-dir "$TENSORRT"; fi

FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04
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
# What can't be loaded shows here, and not on the desktop.
RUN NUMBA_CACHE_DIR=/tmp/numba tempo-edge doctor && rm -r /tmp/numba
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=10m --timeout=2m --start-period=2m CMD ["tempo-edge", "doctor"]
ENTRYPOINT ["tempo-edge"]
CMD ["doctor"]
