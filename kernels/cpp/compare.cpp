// The frame difference and the thumbnail on the CPU, in one pass over each row.
//
// A row is added to one line of sums for the differences and one for the thumbnail while it is in the
// nearest cache; only where a block or a cell ends are sums added up. Most loops over a row are plain,
// so that the compiler makes the widest SIMD of them that the machine has. One is not: bytes have an
// instruction of their own for the sum of eight differences, which no compiler is sure to find.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <system_error>
#include <thread>
#include <vector>

#include "tempo_kernels.h"

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// Several versions of a loop in one binary, chosen when it is loaded.
#if defined(__x86_64__) && defined(__linux__) && (defined(__GNUC__) && !defined(__clang__))
#define TK_WIDEST __attribute__((target_clones("avx2", "default")))
#else
#define TK_WIDEST
#endif

namespace {

// Sums of a column: 16 bits hold 257 rows of bytes, 32 bits 65,537 of 16-bit samples.
template <class Sample>
struct Columns;
template <>
struct Columns<uint8_t> {
  using Sum = uint16_t;
};
template <>
struct Columns<uint16_t> {
  using Sum = uint32_t;
};

template <class Sample>
constexpr int64_t rows_held() {
  using Sum = typename Columns<Sample>::Sum;
  return std::numeric_limits<Sum>::max() / std::numeric_limits<Sample>::max();
}

#define TK_ROWS(Sample, Sum)                                                                  \
  TK_WIDEST void add_row(const Sample* __restrict before, const Sample* __restrict after,     \
                         Sum* __restrict change, int64_t width) {                             \
    for (int64_t x = 0; x < width; ++x) {                                                     \
      const Sample low = std::min(before[x], after[x]), high = std::max(before[x], after[x]); \
      change[x] = static_cast<Sum>(change[x] + static_cast<Sample>(high - low));              \
    }                                                                                         \
  }                                                                                           \
  TK_WIDEST void add_light(const Sample* __restrict row, Sum* __restrict light,               \
                           int64_t width) {                                                   \
    for (int64_t x = 0; x < width; ++x) light[x] = static_cast<Sum>(light[x] + row[x]);       \
  }                                                                                           \
  TK_WIDEST int64_t total(const Sum* columns, int64_t count) {                                \
    int64_t sum = 0;                                                                          \
    for (int64_t x = 0; x < count; ++x) sum += columns[x];                                    \
    return sum;                                                                               \
  }                                                                                           \
  void add_cells(const Sum* __restrict light, const int64_t* __restrict edges,                \
                 int64_t* __restrict cell, int64_t cells) {                                   \
    for (int64_t c = 0; c < cells; ++c) {                                                     \
      uint64_t sum = 0;                                                                       \
      for (int64_t x = edges[c]; x < edges[c + 1]; ++x) sum += light[x];                      \
      cell[c] += static_cast<int64_t>(sum);                                                   \
    }                                                                                         \
  }                                                                                           \
  TK_WIDEST void average(const int64_t* __restrict cell, const int64_t* __restrict edges,     \
                         int64_t rows, Sample* __restrict line, int64_t cells) {              \
    /* Whole numbers of less than 2^53, and the quotient has 16 bits: rounding never reaches  \
       the next one. Doubles are divided four at a time. */                                   \
    for (int64_t c = 0; c < cells; ++c) {                                                     \
      const double area = static_cast<double>(rows * (edges[c + 1] - edges[c]));              \
      const double mean = (2.0 * static_cast<double>(cell[c]) + area) / (2.0 * area);         \
      line[c] = static_cast<Sample>(static_cast<int32_t>(mean));                              \
    }                                                                                         \
  }

TK_ROWS(uint8_t, uint16_t)
TK_ROWS(uint16_t, uint32_t)

// Samples of a row whose differences are added up at once, where blocks are made of whole groups.
constexpr int64_t kGroup = 8;

void add_row_groups(const uint8_t* __restrict before, const uint8_t* __restrict after,
                    uint64_t* __restrict groups, int64_t width) {
  int64_t x = 0;
#if defined(__SSE2__) || defined(_M_X64)
  for (; x + 2 * kGroup <= width; x += 2 * kGroup) {
    const __m128i was = _mm_loadu_si128(reinterpret_cast<const __m128i*>(before + x));
    const __m128i is = _mm_loadu_si128(reinterpret_cast<const __m128i*>(after + x));
    __m128i* sum = reinterpret_cast<__m128i*>(groups + x / kGroup);
    _mm_storeu_si128(sum, _mm_add_epi64(_mm_loadu_si128(sum), _mm_sad_epu8(was, is)));
  }
#elif defined(__ARM_NEON)
  for (; x + 2 * kGroup <= width; x += 2 * kGroup) {
    const uint8x16_t apart = vabdq_u8(vld1q_u8(before + x), vld1q_u8(after + x));
    uint64_t* sum = groups + x / kGroup;
    vst1q_u64(sum, vpadalq_u32(vld1q_u64(sum), vpaddlq_u16(vpaddlq_u8(apart))));
  }
#endif
  for (; x < width; ++x) {
    groups[x / kGroup] += static_cast<uint64_t>(std::abs(after[x] - before[x]));
  }
}

// Where the parts of a whole begin and the last one ends: a division for each is dear.
std::vector<int64_t> edges_of(int64_t whole, int64_t parts) {
  std::vector<int64_t> edges(parts + 1);
  for (int64_t number = 0; number <= parts; ++number) edges[number] = number * whole / parts;
  return edges;
}

// What a band works in: made before any thread is, so that none can fail for want of memory.
template <class Sample>
struct Room {
  using Sum = typename Columns<Sample>::Sum;
  std::vector<Sum> change, light;
  std::vector<uint64_t> groups;
  std::vector<int64_t> cell, carried;
};

// What all bands share: two planes and the room for what is made of them.
template <class Sample>
struct Task {
  const tk_planes& planes;
  const char *previous, *current;
  int64_t* sums;
  Sample* thumbnail;
  std::vector<int64_t> rows, cells;
  int64_t across, down;

  Task(const tk_planes& p, const void* previous, const void* current, int64_t* sums,
       Sample* thumbnail)
      : planes(p),
        previous(static_cast<const char*>(previous)),
        current(static_cast<const char*>(current)),
        sums(sums),
        thumbnail(thumbnail),
        across((p.width + p.block - 1) / p.block),
        down((p.height + p.block - 1) / p.block) {
    if (!thumbnail) return;
    rows = edges_of(p.height, p.thumbnail_height);
    cells = edges_of(p.width, p.thumbnail_width);
  }

  bool grouped() const { return sizeof(Sample) == 1 && planes.block % kGroup == 0; }

  Room<Sample> room() const {
    Room<Sample> made;
    made.change.resize(grouped() ? 0 : planes.width);
    made.groups.resize(grouped() ? (planes.width + kGroup - 1) / kGroup : 0);
    made.light.resize(thumbnail ? planes.width : 0);
    made.cell.resize(thumbnail ? planes.thumbnail_width : 0);
    made.carried.resize(across);
    return made;
  }

  const Sample* row(const char* plane, int64_t stride, int64_t y) const {
    return reinterpret_cast<const Sample*>(plane + y * stride);
  }

  void add_blocks(Room<Sample>& room, int64_t* line) const {
    if (grouped()) {
      const int64_t each = planes.block / kGroup, count = room.groups.size();
      for (int64_t b = 0; b < across; ++b) {
        for (int64_t g = b * each; g < std::min(count, (b + 1) * each); ++g) {
          line[b] += room.groups[g];
        }
      }
      std::fill(room.groups.begin(), room.groups.end(), 0);
      return;
    }
    for (int64_t b = 0; b < across; ++b) {
      const int64_t left = b * planes.block;
      line[b] += total(room.change.data() + left, std::min(planes.block, planes.width - left));
    }
    std::fill(room.change.begin(), room.change.end(), 0);
  }

  // Rows [first, last). Thumbnail rows must not straddle bands; blocks may, and what the first of
  // them has in this band is left in `room.carried` for the caller to add.
  void compare_band(int64_t first, int64_t last, Room<Sample>& room) const {
    int64_t held = 0, lit = 0, row_start = first;
    int64_t at = thumbnail ? std::lower_bound(rows.begin(), rows.end(), first) - rows.begin() : 0;
    for (int64_t y = first; y < last; ++y) {
      const Sample* before = row(previous, planes.previous_stride, y);
      const Sample* after = row(current, planes.current_stride, y);
      if constexpr (sizeof(Sample) == 1) {
        if (grouped()) add_row_groups(before, after, room.groups.data(), planes.width);
      }
      if (!grouped()) add_row(before, after, room.change.data(), planes.width);
      if (thumbnail) add_light(after, room.light.data(), planes.width);
      const int64_t next = y + 1;
      if (++held == rows_held<Sample>() || next % planes.block == 0 || next == last) {
        const bool straddles = first % planes.block && y / planes.block == first / planes.block;
        add_blocks(room, straddles ? room.carried.data() : sums + y / planes.block * across);
        held = 0;
      }
      if (!thumbnail) continue;
      const bool ends = next == rows[at + 1];
      if (++lit == rows_held<Sample>() || ends) {
        add_cells(room.light.data(), cells.data(), room.cell.data(), planes.thumbnail_width);
        std::fill(room.light.begin(), room.light.end(), 0);
        lit = 0;
      }
      if (ends) {
        average(room.cell.data(), cells.data(), next - row_start,
                thumbnail + at * planes.thumbnail_width, planes.thumbnail_width);
        std::fill(room.cell.begin(), room.cell.end(), 0);
        ++at;
        row_start = next;
      }
    }
  }

  void compare(int threads) const {
    std::fill(sums, sums + across * down, 0);
    // Bands end where thumbnail rows do, or else where blocks do.
    const int64_t steps = thumbnail ? planes.thumbnail_height : down;
    const int64_t bands = std::max<int64_t>(1, std::min<int64_t>(threads, steps));
    const auto edge = [&](int64_t number) {
      const int64_t step = number * steps / bands;
      return thumbnail ? rows[step] : std::min(planes.height, step * planes.block);
    };
    std::vector<Room<Sample>> rooms(bands, room());
    const auto work = [&](int64_t band) {
      compare_band(edge(band), edge(band + 1), rooms[band]);
    };
    std::vector<std::thread> others;
    others.reserve(bands);
    int64_t begun = 1;
    try {
      for (; begun < bands; ++begun) others.emplace_back(work, begun);
    } catch (const std::system_error&) {
      // No more threads to be had: what is left is done on this one.
    }
    for (int64_t band = begun; band < bands; ++band) work(band);
    work(0);
    for (auto& other : others) other.join();
    for (int64_t band = 1; band < bands; ++band) {
      int64_t* line = sums + edge(band) / planes.block * across;
      for (int64_t b = 0; b < across; ++b) line[b] += rooms[band].carried[b];
    }
  }
};

bool sensible(const tk_planes& p) {
  const bool sized = p.height > 0 && p.width > 0 && p.block > 0 && p.block <= 32768 &&
                     (p.sample_bytes == 1 || p.sample_bytes == 2);
  const bool none = p.thumbnail_height == 0 && p.thumbnail_width == 0;
  const bool some = p.thumbnail_height > 0 && p.thumbnail_height <= p.height &&
                    p.thumbnail_width > 0 && p.thumbnail_width <= p.width;
  const int64_t row = p.width * p.sample_bytes;
  return sized && (none || some) && p.previous_stride >= row && p.current_stride >= row &&
         p.previous_stride % p.sample_bytes == 0 && p.current_stride % p.sample_bytes == 0;
}

}  // namespace

extern "C" int tk_interface(void) { return TK_INTERFACE; }

extern "C" int tk_compare(const tk_planes* planes, const void* previous, const void* current,
                          int64_t* sums, void* thumbnail, int threads) {
  if (!planes || !previous || !current || !sums || threads < 1 || !sensible(*planes) ||
      (thumbnail == nullptr) != (planes->thumbnail_height == 0)) {
    return TK_BAD_ARGUMENT;
  }
  try {
    if (planes->sample_bytes == 1) {
      Task<uint8_t>(*planes, previous, current, sums, static_cast<uint8_t*>(thumbnail))
          .compare(threads);
    } else {
      Task<uint16_t>(*planes, previous, current, sums, static_cast<uint16_t*>(thumbnail))
          .compare(threads);
    }
  } catch (const std::exception&) {
    return TK_NO_MEMORY;
  }
  return TK_OK;
}
