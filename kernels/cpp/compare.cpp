// The frame difference and the thumbnail on the CPU, in one pass over each row.
//
// A row is added to one line of column sums for the differences and one for the thumbnail while it
// is in the nearest cache; only where a block or a cell ends are columns added up. The loops over a
// row are plain, so that the compiler makes the widest SIMD of them that the machine has.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <system_error>
#include <thread>
#include <vector>

#include "tempo_kernels.h"

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
  TK_WIDEST void add_row(const Sample* __restrict before, const Sample* __restrict after,     \
                         Sum* __restrict change, Sum* __restrict light, int64_t width) {      \
    for (int64_t x = 0; x < width; ++x) {                                                     \
      const Sample low = std::min(before[x], after[x]), high = std::max(before[x], after[x]); \
      change[x] = static_cast<Sum>(change[x] + static_cast<Sample>(high - low));              \
      light[x] = static_cast<Sum>(light[x] + after[x]);                                       \
    }                                                                                         \
  }                                                                                           \
  TK_WIDEST int64_t total(const Sum* columns, int64_t count) {                                \
    int64_t sum = 0;                                                                          \
    for (int64_t x = 0; x < count; ++x) sum += columns[x];                                    \
    return sum;                                                                               \
  }

TK_ROWS(uint8_t, uint16_t)
TK_ROWS(uint16_t, uint32_t)

// What a band works in: made before any thread is, so that none can fail for want of memory.
template <class Sample>
struct Room {
  using Sum = typename Columns<Sample>::Sum;
  std::vector<Sum> change, light;
  std::vector<int64_t> cell, carried;
};

int64_t part(int64_t whole, int64_t parts, int64_t number) { return number * whole / parts; }

// Rows [first, last) of two planes. Thumbnail rows must not straddle bands; blocks may, and what
// the first of them has in this band is left in `room.carried` for the caller to add.
template <class Sample>
void compare_band(const tk_planes& p, const void* previous, const void* current, int64_t* sums,
                  Sample* thumbnail, int64_t first, int64_t last, Room<Sample>& room) {
  using Sum = typename Columns<Sample>::Sum;
  const int64_t across = (p.width + p.block - 1) / p.block;
  const int64_t cells = thumbnail ? p.thumbnail_width : 0;
  auto& [change, light, cell, carried] = room;
  int64_t held = 0, lit = 0, row = 0, row_start = 0;
  if (thumbnail) {
    while (part(p.height, p.thumbnail_height, row) < first) ++row;
    row_start = first;
  }
  for (int64_t y = first; y < last; ++y) {
    const auto* before = reinterpret_cast<const Sample*>(static_cast<const char*>(previous) +
                                                         y * p.previous_stride);
    const auto* after =
        reinterpret_cast<const Sample*>(static_cast<const char*>(current) + y * p.current_stride);
    if (thumbnail) {
      add_row(before, after, change.data(), light.data(), p.width);
    } else {
      add_row(before, after, change.data(), p.width);
    }
    const int64_t next = y + 1;
    if (++held == rows_held<Sample>() || next % p.block == 0 || next == last) {
      const bool straddles = first % p.block && y / p.block == first / p.block;
      int64_t* line = straddles ? carried.data() : sums + y / p.block * across;
      for (int64_t b = 0; b < across; ++b) {
        const int64_t left = b * p.block;
        line[b] += total(change.data() + left, std::min(p.block, p.width - left));
      }
      std::fill(change.begin(), change.end(), Sum{0});
      held = 0;
    }
    if (!thumbnail) continue;
    const bool ends = next == part(p.height, p.thumbnail_height, row + 1);
    if (++lit == rows_held<Sample>() || ends) {
      for (int64_t c = 0; c < cells; ++c) {
        const int64_t left = part(p.width, cells, c), right = part(p.width, cells, c + 1);
        cell[c] += total(light.data() + left, right - left);
      }
      std::fill(light.begin(), light.end(), Sum{0});
      lit = 0;
    }
    if (ends) {
      for (int64_t c = 0; c < cells; ++c) {
        const int64_t area = (next - row_start) *
                             (part(p.width, cells, c + 1) - part(p.width, cells, c));
        thumbnail[row * cells + c] = static_cast<Sample>((2 * cell[c] + area) / (2 * area));
      }
      std::fill(cell.begin(), cell.end(), 0);
      ++row;
      row_start = next;
    }
  }
}

template <class Sample>
void compare(const tk_planes& p, const void* previous, const void* current, int64_t* sums,
             Sample* thumbnail, int threads) {
  const int64_t across = (p.width + p.block - 1) / p.block;
  const int64_t down = (p.height + p.block - 1) / p.block;
  std::fill(sums, sums + across * down, 0);
  // Bands end where thumbnail rows do, or else where blocks do.
  const int64_t steps = thumbnail ? p.thumbnail_height : down;
  const int64_t bands = std::max<int64_t>(1, std::min<int64_t>(threads, steps));
  const auto edge = [&](int64_t number) {
    const int64_t step = part(steps, bands, number);
    return thumbnail ? part(p.height, steps, step) : std::min(p.height, step * p.block);
  };
  using Sum = typename Columns<Sample>::Sum;
  const Room<Sample> empty{std::vector<Sum>(p.width), std::vector<Sum>(thumbnail ? p.width : 0),
                           std::vector<int64_t>(thumbnail ? p.thumbnail_width : 0),
                           std::vector<int64_t>(across)};
  std::vector<Room<Sample>> rooms(bands, empty);
  const auto work = [&](int64_t band) {
    compare_band<Sample>(p, previous, current, sums, thumbnail, edge(band), edge(band + 1),
                         rooms[band]);
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
    int64_t* line = sums + edge(band) / p.block * across;
    for (int64_t b = 0; b < across; ++b) line[b] += rooms[band].carried[b];
  }
}

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
      compare(*planes, previous, current, sums, static_cast<uint8_t*>(thumbnail), threads);
    } else {
      compare(*planes, previous, current, sums, static_cast<uint16_t*>(thumbnail), threads);
    }
  } catch (const std::exception&) {
    return TK_NO_MEMORY;
  }
  return TK_OK;
}
