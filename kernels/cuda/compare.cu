// The frame difference and the thumbnail on a GPU, for a whole group of pictures in two launches.
//
// In the plane of an 8-bit video a thread owns one 16 x 16 block and walks through the frames with
// the block's last picture in its registers: each frame is read from memory once, sixteen bytes at
// a time, and lanes lie side by side. Other depths, blocks and alignments take a warp for each
// block. Thumbnails take a thread for each cell.

#include <cuda_runtime.h>

#include <cstdint>

#include "tempo_kernels_cuda.h"

namespace {

// Frames that one thread walks through; more of them in flight at once hide memory's latency.
constexpr int kWalk = 16;
constexpr int kSide = 16;
constexpr int kThreads = 128;
constexpr int kWarp = 32;

thread_local cudaError_t last_error = cudaSuccess;

struct Frames {
  const void* planes[TK_CUDA_FRAMES];
};

struct Grid {
  int64_t height, width, stride;
  int block, down, across;
  int rows, cells;
  int frames;
};

__device__ __forceinline__ uint32_t differ(uint4 a, uint4 b) {
  return __vsadu4(a.x, b.x) + __vsadu4(a.y, b.y) + __vsadu4(a.z, b.z) + __vsadu4(a.w, b.w);
}

template <class Sample>
__device__ __forceinline__ const Sample* row_of(const void* plane, int64_t stride, int64_t y) {
  return reinterpret_cast<const Sample*>(static_cast<const char*>(plane) + y * stride);
}

// A block that a picture's edge cuts short, or one of any size: the lanes of a group share a row.
template <class Sample>
__device__ int64_t share_of_block(const Grid& g, const void* before, const void* after, int64_t row,
                                  int64_t column, int lane, int lanes) {
  const int64_t top = row * g.block, left = column * g.block;
  const int64_t bottom = min(top + g.block, g.height), right = min(left + g.block, g.width);
  int64_t sum = 0;
  for (int64_t y = top; y < bottom; ++y) {
    const Sample* was = row_of<Sample>(before, g.stride, y);
    const Sample* is = row_of<Sample>(after, g.stride, y);
    for (int64_t x = left + lane; x < right; x += lanes) {
      sum += abs(static_cast<int>(is[x]) - static_cast<int>(was[x]));
    }
  }
  return sum;
}

__global__ void __launch_bounds__(kThreads)
    walk_blocks(Grid g, __grid_constant__ const Frames frames, int64_t* __restrict__ sums) {
  const int index = blockIdx.x * kThreads + threadIdx.x;
  if (index >= g.down * g.across) return;
  const int row = index / g.across, column = index % g.across;
  const int first = blockIdx.y * kWalk, last = min(first + kWalk, g.frames - 1);
  const int64_t each = static_cast<int64_t>(g.down) * g.across;
  const bool whole = (row + 1) * kSide <= g.height && (column + 1) * kSide <= g.width;
  if (!whole) {
    for (int t = first; t < last; ++t) {
      sums[t * each + index] = share_of_block<uint8_t>(g, frames.planes[t], frames.planes[t + 1],
                                                       row, column, 0, 1);
    }
    return;
  }
  const int64_t at = row * kSide * g.stride + column * kSide;
  uint4 held[kSide];
#pragma unroll
  for (int y = 0; y < kSide; ++y) {
    held[y] = __ldg(reinterpret_cast<const uint4*>(static_cast<const char*>(frames.planes[first]) +
                                                   at + y * g.stride));
  }
  for (int t = first; t < last; ++t) {
    const char* plane = static_cast<const char*>(frames.planes[t + 1]) + at;
    uint32_t sum = 0;
#pragma unroll
    for (int y = 0; y < kSide; ++y) {
      const uint4 now = __ldg(reinterpret_cast<const uint4*>(plane + y * g.stride));
      sum += differ(held[y], now);
      held[y] = now;
    }
    sums[t * each + index] = sum;
  }
}

template <class Sample>
__global__ void __launch_bounds__(kThreads)
    sum_blocks(Grid g, __grid_constant__ const Frames frames, int64_t* __restrict__ sums) {
  const int lane = threadIdx.x % kWarp;
  const int index = (blockIdx.x * kThreads + threadIdx.x) / kWarp;
  if (index >= g.down * g.across) return;
  const int t = blockIdx.y;
  int64_t sum = share_of_block<Sample>(g, frames.planes[t], frames.planes[t + 1], index / g.across,
                                       index % g.across, lane, kWarp);
  for (int step = kWarp / 2; step > 0; step /= 2) sum += __shfl_down_sync(~0u, sum, step);
  if (lane == 0) sums[static_cast<int64_t>(t) * g.down * g.across + index] = sum;
}

template <class Sample>
__global__ void __launch_bounds__(kThreads)
    shrink(Grid g, __grid_constant__ const Frames frames, Sample* __restrict__ thumbnails) {
  const int index = blockIdx.x * kThreads + threadIdx.x;
  if (index >= g.rows * g.cells) return;
  const int64_t row = index / g.cells, cell = index % g.cells;
  const int64_t top = row * g.height / g.rows, bottom = (row + 1) * g.height / g.rows;
  const int64_t left = cell * g.width / g.cells, right = (cell + 1) * g.width / g.cells;
  int64_t sum = 0;
  for (int64_t y = top; y < bottom; ++y) {
    const Sample* is = row_of<Sample>(frames.planes[blockIdx.y], g.stride, y);
    for (int64_t x = left; x < right; ++x) sum += is[x];
  }
  const int64_t area = (bottom - top) * (right - left);
  thumbnails[static_cast<int64_t>(blockIdx.y) * g.rows * g.cells + index] =
      static_cast<Sample>((2 * sum + area) / (2 * area));
}

unsigned groups(int64_t work) { return static_cast<unsigned>((work + kThreads - 1) / kThreads); }

bool aligned(const Frames& frames, int64_t count, int64_t stride) {
  uintptr_t bits = static_cast<uintptr_t>(stride);
  for (int64_t t = 0; t < count; ++t) bits |= reinterpret_cast<uintptr_t>(frames.planes[t]);
  return bits % sizeof(uint4) == 0;
}

template <class Sample>
void launch(const Grid& g, const Frames& frames, int64_t* sums, void* thumbnails,
            cudaStream_t stream) {
  const int64_t blocks = static_cast<int64_t>(g.down) * g.across;
  const unsigned pairs = static_cast<unsigned>(g.frames - 1);
  if (pairs > 0) {
    if (sizeof(Sample) == 1 && g.block == kSide && aligned(frames, g.frames, g.stride)) {
      walk_blocks<<<dim3(groups(blocks), (pairs + kWalk - 1) / kWalk), kThreads, 0, stream>>>(
          g, frames, sums);
    } else {
      sum_blocks<Sample>
          <<<dim3(groups(blocks * kWarp), pairs), kThreads, 0, stream>>>(g, frames, sums);
    }
  }
  if (thumbnails) {
    const dim3 size(groups(static_cast<int64_t>(g.rows) * g.cells), g.frames);
    shrink<Sample><<<size, kThreads, 0, stream>>>(g, frames, static_cast<Sample*>(thumbnails));
  }
}

bool sensible(const tk_planes& p, int64_t frames) {
  const bool none = p.thumbnail_height == 0 && p.thumbnail_width == 0;
  const bool some = p.thumbnail_height > 0 && p.thumbnail_height <= p.height &&
                    p.thumbnail_width > 0 && p.thumbnail_width <= p.width;
  return p.height > 0 && p.width > 0 && p.height <= 1 << 16 && p.width <= 1 << 16 && p.block > 0 &&
         p.block <= 32768 && (p.sample_bytes == 1 || p.sample_bytes == 2) && (none || some) &&
         p.current_stride >= p.width * p.sample_bytes && p.current_stride % p.sample_bytes == 0 &&
         frames >= 1 && frames <= TK_CUDA_FRAMES;
}

int failed(cudaError_t error) {
  last_error = error;
  return error == cudaErrorMemoryAllocation ? TK_NO_MEMORY : TK_DEVICE_FAILED;
}

// Device memory that is given back whatever happens.
struct Room {
  void* at = nullptr;
  cudaError_t take(size_t bytes) { return cudaMalloc(&at, bytes); }
  ~Room() { cudaFree(at); }
};

}  // namespace

extern "C" int tk_cuda_interface(void) { return TK_INTERFACE; }

extern "C" int tk_cuda_devices(void) {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

extern "C" const char* tk_cuda_error(void) { return cudaGetErrorString(last_error); }

extern "C" int tk_cuda_resources(int which, const char** name, int* registers, int64_t* local_bytes) {
  const struct {
    const char* name;
    const void* kernel;
  } kernels[] = {
      {"walk_blocks", reinterpret_cast<const void*>(walk_blocks)},
      {"sum_blocks, 8 bit", reinterpret_cast<const void*>(sum_blocks<uint8_t>)},
      {"sum_blocks, 16 bit", reinterpret_cast<const void*>(sum_blocks<uint16_t>)},
      {"shrink, 8 bit", reinterpret_cast<const void*>(shrink<uint8_t>)},
      {"shrink, 16 bit", reinterpret_cast<const void*>(shrink<uint16_t>)},
  };
  constexpr int count = sizeof(kernels) / sizeof(kernels[0]);
  if (which < 0 || which >= count || !name || !registers || !local_bytes) return TK_BAD_ARGUMENT;
  cudaFuncAttributes found{};
  const cudaError_t error = cudaFuncGetAttributes(&found, kernels[which].kernel);
  if (error != cudaSuccess) return failed(error);
  *name = kernels[which].name;
  *registers = found.numRegs;
  *local_bytes = static_cast<int64_t>(found.localSizeBytes);
  return TK_OK;
}

extern "C" int tk_cuda_compare(const tk_planes* shape, const void* const* planes, int64_t frames,
                               int64_t* sums, void* thumbnails, void* stream) {
  if (!shape || !planes || !sensible(*shape, frames) || (frames > 1 && !sums) ||
      (thumbnails == nullptr) != (shape->thumbnail_height == 0)) {
    return TK_BAD_ARGUMENT;
  }
  Frames held{};
  for (int64_t t = 0; t < frames; ++t) {
    if (!planes[t]) return TK_BAD_ARGUMENT;
    held.planes[t] = planes[t];
  }
  const auto up = [&](int64_t side) { return static_cast<int>((side + shape->block - 1) / shape->block); };
  const Grid g{shape->height,
               shape->width,
               shape->current_stride,
               static_cast<int>(shape->block),
               up(shape->height),
               up(shape->width),
               static_cast<int>(shape->thumbnail_height),
               static_cast<int>(shape->thumbnail_width),
               static_cast<int>(frames)};
  if (shape->sample_bytes == 1) {
    launch<uint8_t>(g, held, sums, thumbnails, static_cast<cudaStream_t>(stream));
  } else {
    launch<uint16_t>(g, held, sums, thumbnails, static_cast<cudaStream_t>(stream));
  }
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? TK_OK : failed(error);
}

extern "C" int tk_cuda_compare_surfaces(const tk_planes* shape, const void* const* planes,
                                        int64_t frames, int64_t* sums, void* thumbnails) {
  if (!shape || !sensible(*shape, frames)) return TK_BAD_ARGUMENT;
  const int64_t down = (shape->height + shape->block - 1) / shape->block;
  const int64_t across = (shape->width + shape->block - 1) / shape->block;
  const size_t sum_bytes = sizeof(int64_t) * (frames - 1) * down * across;
  const size_t thumbnail_bytes =
      shape->sample_bytes * frames * shape->thumbnail_height * shape->thumbnail_width;
  Room out, small;
  cudaError_t error = cudaSuccess;
  if (sum_bytes) error = out.take(sum_bytes);
  if (error == cudaSuccess && thumbnail_bytes) error = small.take(thumbnail_bytes);
  if (error != cudaSuccess) return failed(error);
  const int done = tk_cuda_compare(shape, planes, frames, static_cast<int64_t*>(out.at), small.at,
                                   nullptr);
  if (done != TK_OK) return done;
  if (sum_bytes) error = cudaMemcpy(sums, out.at, sum_bytes, cudaMemcpyDeviceToHost);
  if (error == cudaSuccess && thumbnail_bytes) {
    error = cudaMemcpy(thumbnails, small.at, thumbnail_bytes, cudaMemcpyDeviceToHost);
  }
  return error == cudaSuccess ? TK_OK : failed(error);
}

extern "C" int tk_cuda_compare_pictures(const tk_planes* shape, const void* pictures,
                                        int64_t frames, int64_t* sums, void* thumbnails) {
  if (!shape || !pictures || !sensible(*shape, frames)) return TK_BAD_ARGUMENT;
  const size_t picture = shape->height * shape->current_stride;
  Room room;
  cudaError_t error = room.take(picture * frames);
  if (error == cudaSuccess) {
    error = cudaMemcpy(room.at, pictures, picture * frames, cudaMemcpyHostToDevice);
  }
  if (error != cudaSuccess) return failed(error);
  const void* planes[TK_CUDA_FRAMES];
  for (int64_t t = 0; t < frames; ++t) planes[t] = static_cast<char*>(room.at) + t * picture;
  return tk_cuda_compare_surfaces(shape, planes, frames, sums, thumbnails);
}
