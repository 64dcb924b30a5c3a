/* The C interface of the compiled kernels. What they compute is defined in NumPy:
 * kernels/tempo_kernels/reference.py. All give the same integers. */
#ifndef TEMPO_KERNELS_H
#define TEMPO_KERNELS_H

#include <stdint.h>

#if defined(_WIN32)
#define TK_PUBLIC __declspec(dllexport)
#else
#define TK_PUBLIC __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a signature or a struct below changes; the loader refuses another one. */
#define TK_INTERFACE 1

enum { TK_OK = 0, TK_BAD_ARGUMENT = 1, TK_NO_MEMORY = 2, TK_DEVICE_FAILED = 3 };

/* Two luma planes and what to make of them. Strides are in bytes and not negative; a sample has
 * 1 or 2 bytes. A thumbnail of 0 x 0 is none; it is never larger than the planes. */
typedef struct {
  int64_t height, width;
  int64_t previous_stride, current_stride;
  int64_t sample_bytes;
  int64_t block;
  int64_t thumbnail_height, thumbnail_width;
} tk_planes;

TK_PUBLIC int tk_interface(void);

/* Sums of |current - previous| over squares of `block` samples, [ceil(h / block), ceil(w / block)],
 * and the area mean of `current` in each cell of the thumbnail, rounded half up. `thumbnail` has
 * the planes' sample size and may be null if it is 0 x 0. */
TK_PUBLIC int tk_compare(const tk_planes* planes, const void* previous, const void* current,
                         int64_t* sums, void* thumbnail, int threads);

#ifdef __cplusplus
}
#endif
#endif
