// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/nvrtc.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pareidolia::detail::cuda {

/// How the device stores the values between layers. Kernels compute in float whatever they load and store.
enum class number : std::uint8_t {
  float32,
  bfloat16,  ///< the range of float, 8 bits of precision
  float16    ///< 11 bits, down to 2^-14, or with fewer bits to 2^-24; up to 65504
};

[[nodiscard]] constexpr std::size_t bytes(number n) { return n == number::float32 ? 4 : 2; }

/// What kernels rely on whose arrays are of any number: `value`, the type of an element, which turns into a float when it is read and is
/// rounded to the nearest one when a float is assigned; KERNEL(name), which begins one, known as name, name_bf16 or name_fp16; and EACH.
inline constexpr std::string_view number_text = R"cuda(
#define PASTE(a, b) a##b
#define PASTED(a, b) PASTE(a, b)
#ifdef STORED
struct value {
  unsigned short bits;
  __device__ operator float() const { return PASTED(widened_, STORED)(bits); }
  __device__ value& operator=(float v) {
    bits = PASTED(narrowed_, STORED)(v);
    return *this;
  }
};
#define KERNEL(name) extern "C" __global__ void PASTED(name##_, STORED)
#else
using value = float;
#define KERNEL(name) extern "C" __global__ void name
#endif
#define EACH(i, count) (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += gridDim.x * blockDim.x)
)cuda";

/// The conversions behind `value`, by the device's instructions. That from bfloat16 has one only from Hopper on, and needs none.
inline constexpr std::string_view conversion_text = R"ptx(
__device__ inline float widened_bf16(unsigned short bits) { return __uint_as_float((unsigned)bits << 16); }
__device__ inline unsigned short narrowed_bf16(float v) {
  unsigned short bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(v));
  return bits;
}
__device__ inline float widened_fp16(unsigned short bits) {
  float v;
  asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(bits));
  return v;
}
__device__ inline unsigned short narrowed_fp16(float v) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(v));
  return bits;
}
)ptx";

/// What the names of kernels end with.
[[nodiscard]] constexpr std::string_view suffix(number n) { return n == number::float32 ? "" : n == number::bfloat16 ? "_bf16" : "_fp16"; }

/// The whole text of kernels for arrays of n.
[[nodiscard]] inline std::string text_for(number n, kernel_source const& kernels) {
  std::string text;
  if (n != number::float32) text.append(conversion_text).append("#define STORED ").append(suffix(n).substr(1)).append("\n");
  if (kernels.of_values) text.append(number_text);
  return text.append(kernels.text);
}

}  // namespace pareidolia::detail::cuda
