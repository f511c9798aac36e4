// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/vector_math.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

// Genetic operators on genes in [0, 1], as kernels for detail/dispatch.hpp. Random numbers, logarithms and powers are made for 32 genes at
// a time, in vectors; the numbers do not depend on how long the vectors are.

namespace pareidolia::detail {

inline constexpr std::size_t block_genes = 32;

/// 64 numbers of a random_stream: those of Philox blocks [16 b, 16 b + 16). Word w of block 16 b + l is number 16 w + l.
struct random_block {
  static constexpr std::size_t blocks = 16;
  std::array<std::uint32_t, 4 * blocks> numbers;

  [[gnu::always_inline]] void generate(std::uint64_t key, std::uint64_t stream, std::uint64_t b) {
    auto const low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    auto const high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
    auto const word = [this](std::size_t w) { return numbers.data() + w * blocks; };
    std::uint32_t *const x0 = word(0), *const x1 = word(1), *const x2 = word(2), *const x3 = word(3);
    for (std::size_t l = 0; l < blocks; ++l) {
      x0[l] = low(b * blocks) + static_cast<std::uint32_t>(l);
      x1[l] = high(b * blocks);
      x2[l] = low(stream);
      x3[l] = high(stream);
    }
    std::uint32_t k0 = low(key), k1 = high(key);
    for (int round = 0; round < 10; ++round) {
      for (std::size_t l = 0; l < blocks; ++l) {
        std::uint64_t const p0 = std::uint64_t{x0[l]} * 0xD2511F53u, p1 = std::uint64_t{x2[l]} * 0xCD9E8D57u;
        x0[l] = high(p1) ^ x1[l] ^ k0;
        x1[l] = low(p1);
        x2[l] = high(p0) ^ x3[l] ^ k1;
        x3[l] = low(p0);
      }
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
  }
};

/// x <- x^exponent for x > 0.
template <class Floats>
[[gnu::always_inline]] inline void vector_power(Floats& x, float exponent) {
  vector_log(x);
  x = x * exponent;
  vector_exp(x);
}

/// u <- uniform in (0, 1], from the upper 24 bits of the numbers at `source`.
template <class Floats>
[[gnu::always_inline]] inline void vector_uniform(std::uint32_t const* source, Floats& u) {
  ints_of<Floats> bits;
  std::memcpy(&bits, source, sizeof bits);
  u = __builtin_convertvector((bits >> 8 & 0xffffff) + 1, Floats) * 0x1p-24f;
}

/// x <- -x where the lowest bit of the numbers at `source` is set; vector_uniform does not use it.
template <class Floats>
[[gnu::always_inline]] inline void vector_random_sign(std::uint32_t const* source, Floats& x) {
  ints_of<Floats> bits;
  std::memcpy(&bits, source, sizeof bits);
  x = (Floats)((ints_of<Floats>)x ^ bits << 31);
}

/// Polynomial mutation (Deb and Agrawal 1999) of each gene with probability `rate`, with the numbers of a stream from its beginning.
///
/// The number of genes before the next that mutates is geometric, floor(log u / log(1 - rate)) with u in (0, 1], so the others cost
/// nothing. The step is up or down by 1 - w^(1 / (eta + 1)), w in (0, 1]; w is 2 u or 2 (1 - u) of the usual formula.
struct polynomial_mutation {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float> const& genes, float const& rate, float const& eta, std::uint64_t const& key,
                                         std::uint64_t const& stream) {
    if (rate == 0) return;
    using floats = typename vectors<Lanes>::floats;
    auto const genes_per_log = static_cast<float>(1 / std::log1p(-double{rate}));
    random_block random;
    std::array<float, block_genes> step;
    std::array<int, block_genes> gap;
    std::size_t at = 0;
    for (std::uint64_t b = 0;; ++b) {
      random.generate(key, stream, b);
      for (std::size_t k = 0; k < block_genes; k += Lanes) {
        floats u;
        vector_uniform(&random.numbers[k], u);
        vector_log(u);
        u = u * genes_per_log;
        u = u < far ? u : floats{} + far;
        auto const skipped = __builtin_convertvector(u, ints_of<floats>);
        std::memcpy(&gap[k], &skipped, sizeof skipped);

        std::uint32_t const* const numbers = &random.numbers[block_genes + k];
        floats w;
        vector_uniform(numbers, w);
        vector_power(w, 1 / (eta + 1));
        w = 1.f - w;
        vector_random_sign(numbers, w);
        store(w, &step[k]);
      }
      for (std::size_t k = 0; k < block_genes; ++k, ++at) {
        at += static_cast<std::size_t>(gap[k]);
        if (at >= genes.size()) return;
        genes[at] = std::min(std::max(genes[at] + step[k], 0.f), 1.f);
      }
    }
  }

 private:
  static constexpr float far = 0x1p30f;  // beyond the last gene, and an int
};

/// Simulated binary crossover (Deb and Agrawal 1995) of all genes of a couple, in the form that knows the bounds [0, 1].
///
/// With y1 <= y2 the parents' values of a gene and u in (0, 1), the children are (y1 + y2 - b1 (y2 - y1)) / 2 and
/// (y1 + y2 + b2 (y2 - y1)) / 2, in random order, where
///   b = q(u alpha)^(1 / (eta + 1)),  q(z) = z if z <= 1 else 1 / (2 - z),  alpha = 2 - beta^-(eta + 1),
///   beta = 1 + 2 d / (y2 - y1), d = y1 for b1 and 1 - y2 for b2.
/// A gene that is equal in both parents stays as it is.
struct simulated_binary_crossover {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float> const& a, std::span<float> const& b, float const& eta, std::uint64_t const& key,
                                         std::uint64_t const& stream) {
    random_block random;
    for (std::size_t begin = 0; begin < a.size(); begin += block_genes) {
      random.generate(key, stream, begin / block_genes);
      for (std::size_t k = 0; k < block_genes && begin + k < a.size(); k += Lanes) {
        std::size_t const at = begin + k, bytes = std::min(Lanes, a.size() - at) * sizeof(float);
        typename vectors<Lanes>::floats one{}, other{};
        std::memcpy(&one, &a[at], bytes);
        std::memcpy(&other, &b[at], bytes);
        cross(one, other, &random.numbers[k], eta);
        std::memcpy(&a[at], &one, bytes);
        std::memcpy(&b[at], &other, bytes);
      }
    }
  }

 private:
  template <class Floats>
  [[gnu::always_inline]] static void cross(Floats& a, Floats& b, std::uint32_t const* numbers, float eta) {
    Floats const low = a < b ? a : b, high = a < b ? b : a, width = high - low;
    Floats const divisor = width > 1e-7f ? width : Floats{} + 1e-7f;
    Floats u;
    vector_uniform(numbers, u);
    u = u * (1 - 0x1p-23f);  // below 1
    Floats b1 = 1.f + 2.f * low / divisor, b2 = 1.f + 2.f * (1.f - high) / divisor;
    spread(b1, u, eta);
    spread(b2, u, eta);
    Floats one = 0.5f * (low + high - b1 * width), other = 0.5f * (low + high + b2 * width);
    one = one > 0.f ? one : Floats{};
    other = other < 1.f ? other : Floats{} + 1.f;
    // The order is random: half the difference, with a random sign, around the mean.
    Floats const mean = 0.5f * (one + other);
    Floats half = 0.5f * (one - other);
    vector_random_sign(numbers, half);
    a = width > 0.f ? mean + half : a;
    b = width > 0.f ? mean - half : b;
  }

  /// From beta to b.
  template <class Floats>
  [[gnu::always_inline]] static void spread(Floats& beta, Floats const& u, float eta) {
    vector_power(beta, -(eta + 1));
    Floats const z = u * (2.f - beta);
    beta = z <= 1.f ? z : 1.f / (2.f - z);
    vector_power(beta, 1 / (eta + 1));
  }
};

/// x = floor(levels v) / (levels - 1), and 1 for v = 1: [0, 1] in `levels` equal parts, each of which is one value. x = v for levels = 0.
/// v outside [0, 1] is clipped.
struct quantisation {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(std::span<float const> const& v, std::span<float> const& x, float const& levels) {
    using floats = typename vectors<Lanes>::floats;
    for (std::size_t j = 0; j < v.size(); j += Lanes) {
      floats lanes;
      load_part(v, j, 0.f, lanes);
      quantise(lanes, levels);
      store_part(lanes, x, j);
    }
  }

  template <class Floats>
  [[gnu::always_inline]] static void quantise(Floats& v, float levels) {
    v = v > 0.f ? v : Floats{};
    v = v < 1.f ? v : Floats{} + 1.f;
    if (levels == 0) return;
    v = __builtin_convertvector(__builtin_convertvector(v * levels, ints_of<Floats>), Floats) / (levels - 1);
    v = v < 1.f ? v : Floats{} + 1.f;
  }
};

}  // namespace pareidolia::detail
