/* The C interface of the CUDA kernels: the same integers as tempo_kernels.h, for many frames at
 * once. */
#ifndef TEMPO_KERNELS_CUDA_H
#define TEMPO_KERNELS_CUDA_H

#include "tempo_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frames that one call takes at most; where a video goes on, the last is the first of the next. */
#define TK_CUDA_FRAMES 256

TK_PUBLIC int tk_cuda_interface(void);

/* Devices that can be used, 0 where there is no driver. */
TK_PUBLIC int tk_cuda_devices(void);

/* What the driver said when the last call of this thread failed. */
TK_PUBLIC const char* tk_cuda_error(void);

/* What a thread of kernel number `which` takes on this device: registers, and bytes of local memory,
 * which is where registers spill to. `name` lives as long as the library. TK_BAD_ARGUMENT where
 * there are no more kernels. */
TK_PUBLIC int tk_cuda_resources(int which, const char** name, int* registers, int64_t* local_bytes);

/* Compare each of `frames` luma planes in device memory with the one before: sums
 * [frames - 1, ceil(h / block), ceil(w / block)] and thumbnails [frames, rows, columns], both in
 * device memory. `planes` is in host memory and holds device addresses, as a decoder hands out its
 * surfaces; all have `current_stride`. At most two kernels are launched on `stream`, and nothing is
 * waited for. */
TK_PUBLIC int tk_cuda_compare(const tk_planes* shape, const void* const* planes, int64_t frames,
                              int64_t* sums, void* thumbnails, void* stream);

/* The same with results in host memory, waited for: they are small, the planes stay where they
 * are. */
TK_PUBLIC int tk_cuda_compare_surfaces(const tk_planes* shape, const void* const* planes,
                                       int64_t frames, int64_t* sums, void* thumbnails);

/* The same for pictures in host memory, which lie one after another and are copied to the device
 * first. */
TK_PUBLIC int tk_cuda_compare_pictures(const tk_planes* shape, const void* pictures, int64_t frames,
                                       int64_t* sums, void* thumbnails);

#ifdef __cplusplus
}
#endif
#endif
