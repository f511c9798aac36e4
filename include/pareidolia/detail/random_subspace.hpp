// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// The butterflies of strides h and 2 h of a Walsh-Hadamard transform; Lanes divides h, and 4 h the number of values.
template <std::size_t Lanes>
void butterflies(std::span<float> v, std::size_t h) {
  for (float* x = v.data(); x != v.data() + v.size(); x += 3 * h)
    for (float const* const end = x + h; x != end; x += Lanes) {
      std::array<float, Lanes> a, b, c, d;
      for (std::size_t l = 0; l < Lanes; ++l) {
        a[l] = x[l] + x[h + l];
        b[l] = x[l] - x[h + l];
        c[l] = x[2 * h + l] + x[3 * h + l];
        d[l] = x[2 * h + l] - x[3 * h + l];
      }
      for (std::size_t l = 0; l < Lanes; ++l) {
        x[l] = a[l] + c[l];
        x[h + l] = b[l] + d[l];
        x[2 * h + l] = a[l] - c[l];
        x[3 * h + l] = b[l] - d[l];
      }
    }
}

/// v <- H v / sqrt(n), H the Walsh-Hadamard matrix of n = v.size(), a power of two: orthogonal and its own inverse. n log2 n additions.
inline void hadamard(std::span<float> v) {
  std::size_t const n = v.size();
  std::size_t h = 1;
  for (; 4 * h <= n; h *= 4)
    if (h == 1)
      butterflies<1>(v, h);
    else if (h == 4)
      butterflies<4>(v, h);
    else
      butterflies<8>(v, h);
  if (h < n)  // an odd power of two
    for (std::size_t j = 0; j < h; ++j) {
      float const a = v[j], b = v[h + j];
      v[j] = a + b;
      v[h + j] = a - b;
    }
  float const scale = 1 / std::sqrt(static_cast<float>(n));
  for (float& x : v) x *= scale;
}

/// Random subspaces of R^d, S_1 within S_2 within ... S_d = R^d, one of each dimension, and the orthogonal projections on them.
///
/// S_m is spanned by the first m rows of the orthogonal Q = W_3 R_3 W_2 R_2 W_1 R_1: R_r permutes the coordinates at random and gives them
/// random signs, W_r is the normalised Walsh-Hadamard transform on blocks of up to 4096 coordinates. So nothing of size m d is kept, and
/// P_S g = Q^T 1_m Q g is exact but for rounding. S_m is not uniform (Q is not of the Haar measure), but close to it as seen by any one
/// vector u: E ||P_S u||^2 = m / d ||u||^2 holds exactly, and the variance is near that of the uniform one, 2 m (d - m) / (d^2 (d + 2)).
/// Signs and transforms as in the subsampled randomised Hadamard transform (Ailon and Chazelle, STOC 2006); more rounds, since gradients
/// may be large in few coordinates.
///
/// Cost: some 3 d log2(4096) additions each way, 2 ms for d = 150528; drawing it twice that. Memory: 3 d numbers, and d while projecting.
class random_subspaces {
 public:
  /// d < 2^31.
  random_subspaces(random_stream stream, std::size_t d) : d_(d), block_(std::min(most, std::bit_floor(d))) {
    std::vector<std::uint32_t> order(d);
    std::iota(order.begin(), order.end(), 0u);
    from_.reserve(rounds * d);
    for (std::size_t r = 0; r < rounds; ++r) {
      shuffle(std::span(order), stream);
      for (std::uint32_t const j : order) from_.push_back(j | (stream() & sign));
    }
  }

  /// g <- P_S g, S = S_m, 0 < m <= d; g (d). May be called from several threads.
  void project(std::size_t m, std::span<float> g) const {
    if (m == d_) return;
    std::vector<float> room(d_);
    std::span<float> here = g, there = room;
    for (std::size_t r = 0; r < rounds; ++r, std::swap(here, there)) {
      auto const from = from_of(r);
      for (std::size_t j = 0; j < d_; ++j) there[j] = signed_as(from[j], here[from[j] & ~sign]);
      for (std::size_t first = 0; first + block_ <= d_; first += block_) hadamard(there.subspan(first, block_));
      if (d_ % block_ != 0) hadamard(there.last(block_));  // overlaps with the one before
    }
    std::ranges::fill(here.subspan(m), 0.f);
    for (std::size_t r = rounds; r-- > 0; std::swap(here, there)) {
      auto const from = from_of(r);
      if (d_ % block_ != 0) hadamard(here.last(block_));
      for (std::size_t first = 0; first + block_ <= d_; first += block_) hadamard(here.subspan(first, block_));
      for (std::size_t j = 0; j < d_; ++j) there[from[j] & ~sign] = signed_as(from[j], here[j]);
    }
  }

 private:
  static constexpr std::size_t rounds = 3, most = 4096;  // values in a block: 16 KiB
  static constexpr std::uint32_t sign = 0x80000000u;

  /// -v where the sign of `from` is set.
  [[nodiscard]] static float signed_as(std::uint32_t from, float v) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) ^ (from & sign));
  }
  [[nodiscard]] std::span<std::uint32_t const> from_of(std::size_t r) const { return std::span(from_).subspan(r * d_, d_); }

  std::size_t d_, block_;
  std::vector<std::uint32_t> from_;  // of R_1, R_2, R_3: where coordinate j comes from, and its sign as the highest bit
};

}  // namespace pareidolia::detail
