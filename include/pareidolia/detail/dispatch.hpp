// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace pareidolia::detail {

/// Instruction sets that kernels are compiled for, worst first. `baseline` is what the compiler was told to target: SSE2 on x86-64.
enum class instruction_set : std::uint8_t { baseline, avx2, avx512 };

/// The best one that this processor (and its operating system) has. Found once.
[[nodiscard]] inline instruction_set best_instruction_set() {
#if defined(__x86_64__) || defined(__i386__)
  static instruction_set const best = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
      return instruction_set::avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? instruction_set::avx2 : instruction_set::baseline;
  }();
  return best;
#else
  return instruction_set::baseline;
#endif
}

#if defined(__x86_64__) || defined(__i386__)
template <class Kernel, class... Arguments>
[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]] void run_avx512(Arguments const&... arguments) {
  Kernel::template run<16>(arguments...);
}
template <class Kernel, class... Arguments>
[[gnu::target("avx2,fma")]] void run_avx2(Arguments const&... arguments) {
  Kernel::template run<8>(arguments...);
}
#endif

/// Calls Kernel::run<Lanes>(arguments...), compiled for `set`: 16, 8 or 4 floats to a vector. A binary built for any x86-64 uses the
/// processor it finds, whatever the compiler's flags.
///
///     struct twice {
///       template <std::size_t Lanes>
///       [[gnu::always_inline]] static void run(std::span<float> const& x);
///     };
///     dispatch<twice>(best_instruction_set(), std::span(x));
///
/// run, and every function it calls with vectors, must be always_inline (only then does it become part of the compiled version) and take
/// vectors by reference (by value their calling convention would depend on the compiler's flags).
template <class Kernel, class... Arguments>
void dispatch(instruction_set set, Arguments const&... arguments) {
#if defined(__x86_64__) || defined(__i386__)
  if (set == instruction_set::avx512) return run_avx512<Kernel>(arguments...);
  if (set == instruction_set::avx2) return run_avx2<Kernel>(arguments...);
#endif
  static_cast<void>(set);
  Kernel::template run<4>(arguments...);
}

}  // namespace pareidolia::detail
