// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <utility>

namespace pareidolia {

/// One reproducible sequence of numbers; a UniformRandomBitGenerator.
///
/// Philox4x32-10 (Salmon et al., SC 2011): block b of stream s under key k is a pure function of (k, s, b), so a sequence does not
/// depend on what other streams, threads or batches have drawn. Period 2^66 numbers.
class random_stream {
 public:
  using result_type = std::uint32_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  random_stream(std::uint64_t key, std::uint64_t stream) : key_(key), stream_(stream) {}

  result_type operator()() {
    if (used_ == 4) {
      block_ = philox(key_, stream_, next_++);
      used_ = 0;
    }
    return block_[used_++];
  }

  /// The next out.size() numbers: what as many calls would give, without the bookkeeping of each.
  void fill(std::span<result_type> out) {
    std::size_t i = 0;
    while (used_ < 4 && i < out.size()) out[i++] = block_[used_++];
    for (; i + 4 <= out.size(); i += 4) {
      auto const block = philox(key_, stream_, next_++);
      std::copy(block.begin(), block.end(), out.begin() + static_cast<std::ptrdiff_t>(i));
    }
    while (i < out.size()) out[i++] = (*this)();
  }

  /// Uniform in [0, 1), 24 bits.
  float uniform() { return static_cast<float>((*this)() >> 8) * 0x1p-24f; }
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  bool chance(float probability) { return uniform() < probability; }

  /// Uniform in {0, ..., n - 1} without bias (Lemire 2019). n > 0.
  std::uint32_t below(std::uint32_t n) {
    std::uint64_t product = std::uint64_t{(*this)()} * n;
    if (auto low = static_cast<std::uint32_t>(product); low < n) {
      for (std::uint32_t const threshold = (0u - n) % n; low < threshold; low = static_cast<std::uint32_t>(product))
        product = std::uint64_t{(*this)()} * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// Standard normal (Box-Muller, one of the pair).
  float normal() {
    float const u = (static_cast<float>((*this)() >> 8) + 1.f) * 0x1p-24f;  // in (0, 1]
    return std::sqrt(-2.f * std::log(u)) * std::cos(2.f * std::numbers::pi_v<float> * uniform());
  }

  /// The numbers of block `b` of stream `stream` under `key`: what `operator()` hands out four at a time.
  static std::array<result_type, 4> philox(std::uint64_t key, std::uint64_t stream, std::uint64_t b) {
    auto const low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    auto const high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
    r123::Philox4x32 const generate;
    auto const out = generate({{low(b), high(b), low(stream), high(stream)}}, {{low(key), high(key)}});
    return {out[0], out[1], out[2], out[3]};
  }

 private:
  std::uint64_t key_, stream_, next_ = 0;
  std::array<result_type, 4> block_{};
  unsigned used_ = 4;
};

/// The source of all randomness of a run: a value, seeded by the caller, never advanced.
///
/// `fork(tag)` is an independent source (one for each generation, each purpose); `stream(i)` is the sequence that belongs to individual i.
/// So what an individual draws depends on (seed, tags, i) alone, not on batch size, thread count or rank.
class rng {
 public:
  explicit rng(std::uint64_t seed) : key_(seed), seed_(seed) {}

  [[nodiscard]] rng fork(std::uint64_t tag) const {
    auto const block = random_stream::philox(key_, tag, fork_block);
    return rng(std::uint64_t{block[0]} << 32 | block[1], seed_);
  }
  [[nodiscard]] random_stream stream(std::uint64_t individual) const { return {key_, individual}; }

  [[nodiscard]] std::uint64_t key() const { return key_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }  ///< as the caller gave it, for reports

 private:
  static constexpr std::uint64_t fork_block = ~std::uint64_t{0};  // no stream reaches this block

  rng(std::uint64_t key, std::uint64_t seed) : key_(key), seed_(seed) {}
  std::uint64_t key_, seed_;
};

/// Fisher-Yates: the same order for the same stream on every platform, unlike std::shuffle.
template <class T>
void shuffle(std::span<T> items, random_stream& r) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[r.below(static_cast<std::uint32_t>(i))]);
}

}  // namespace pareidolia
