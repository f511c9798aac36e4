// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <vector>

using namespace pareidolia;

static_assert(std::uniform_random_bit_generator<random_stream>);

namespace {

using block = std::array<std::uint32_t, 4>;

// Correlation of two sequences.
double correlation(std::vector<double> const& a, std::vector<double> const& b) {
  auto const n = static_cast<double>(a.size());
  double const ma = std::accumulate(a.begin(), a.end(), 0.0) / n, mb = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

std::vector<double> uniforms(random_stream stream, std::size_t n) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(double{stream.uniform()});
  return values;
}

constexpr std::size_t many = 100000;

}  // namespace

TEST_CASE("philox gives the published answers of Philox4x32-10") {
  std::uint64_t const ones = ~std::uint64_t{0};
  CHECK(random_stream::philox(0, 0, 0) == block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(random_stream::philox(ones, ones, ones) == block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // Digits of pi: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0, lower words first.
  CHECK(random_stream::philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream hands out its blocks in order") {
  random_stream stream(7, 8);
  for (std::uint64_t b = 0; b < 3; ++b)
    for (std::uint32_t expected : random_stream::philox(7, 8, b)) CHECK(stream() == expected);
}

TEST_CASE("filling gives the numbers that as many calls would give, wherever it begins and ends") {
  for (std::size_t before : {0u, 1u, 3u, 4u, 6u})
    for (std::size_t n : {0u, 1u, 2u, 5u, 8u, 13u}) {
      random_stream one(1, 2), other(1, 2);
      for (std::size_t i = 0; i < before; ++i) CHECK(one() == other());
      std::vector<std::uint32_t> numbers(n);
      one.fill(numbers);
      for (std::uint32_t number : numbers) CHECK(number == other());
      CHECK(one() == other());
    }
}

TEST_CASE("uniform numbers have mean 1/2, variance 1/12 and lie in [0, 1)") {
  auto const u = uniforms(rng(1).stream(0), many);
  CHECK(*std::min_element(u.begin(), u.end()) >= 0);
  CHECK(*std::max_element(u.begin(), u.end()) < 1);
  double sum = 0, squares = 0;
  for (double v : u) {
    sum += v;
    squares += (v - 0.5) * (v - 0.5);
  }
  CHECK(std::abs(sum / many - 0.5) < 5 * std::sqrt(1.0 / 12 / many));
  CHECK(squares / many == doctest::Approx(1.0 / 12).epsilon(0.02));

  auto stream = rng(1).stream(1);
  for (int i = 0; i < 1000; ++i) {
    float const v = stream.uniform(-3, 5);
    CHECK_UNARY(v >= -3 && v < 5);
  }
}

TEST_CASE("normal numbers have the moments of a normal distribution") {
  auto stream = rng(2).stream(0);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  std::size_t within = 0;
  for (std::size_t i = 0; i < many; ++i) {
    double const v = double{stream.normal()};
    sum += v;
    squares += v * v;
    cubes += v * v * v;
    fourths += v * v * v * v;
    within += std::abs(v) < 1;
  }
  CHECK(std::abs(sum / many) < 0.016);
  CHECK(squares / many == doctest::Approx(1).epsilon(0.03));
  CHECK(std::abs(cubes / many) < 0.07);
  CHECK(fourths / many == doctest::Approx(3).epsilon(0.06));
  CHECK(static_cast<double>(within) / many == doctest::Approx(0.6827).epsilon(0.01));
}

TEST_CASE("below draws every value equally often") {
  for (std::uint32_t n : {1u, 2u, 10u, 1000u}) {
    auto stream = rng(3).stream(n);
    std::vector<double> seen(n);
    for (std::size_t i = 0; i < many; ++i) {
      std::uint32_t const v = stream.below(n);
      REQUIRE(v < n);
      ++seen[v];
    }
    double const expected = static_cast<double>(many) / n;
    double chi_square = 0;
    for (double count : seen) chi_square += (count - expected) * (count - expected) / expected;
    CHECK(chi_square < n + 6 * std::sqrt(2.0 * n));
  }
}

TEST_CASE("below has no bias where a plain remainder would have one") {
  // 3 * 2^30: a remainder or a product without rejection draws some values twice as often as others.
  std::uint32_t const n = 3u << 30;
  auto stream = rng(4).stream(0);
  std::array<double, 3> thirds{};
  for (std::size_t i = 0; i < many; ++i) ++thirds[stream.below(n) >> 30];
  std::size_t multiples = 0;  // of 3: where the product without rejection puts two numbers instead of one
  for (std::size_t i = 0; i < many; ++i) multiples += stream.below(n) % 3 == 0;
  for (double count : thirds) CHECK(count / many == doctest::Approx(1.0 / 3).epsilon(0.02));
  CHECK(static_cast<double>(multiples) / many == doctest::Approx(1.0 / 3).epsilon(0.02));
}

TEST_CASE("chance comes up as often as it says") {
  auto stream = rng(5).stream(0);
  std::size_t hits = 0;
  for (std::size_t i = 0; i < many; ++i) hits += stream.chance(0.3f);
  CHECK(static_cast<double>(hits) / many == doctest::Approx(0.3).epsilon(0.02));
  CHECK_FALSE(stream.chance(0));
  CHECK(stream.chance(1));
}

TEST_CASE("streams, forks and seeds are independent") {
  rng const random(6);
  auto const a = uniforms(random.stream(0), many);
  double const limit = 5 / std::sqrt(static_cast<double>(many));
  CHECK(std::abs(correlation(a, uniforms(random.stream(1), many))) < limit);
  CHECK(std::abs(correlation(a, uniforms(random.fork(0).stream(0), many))) < limit);
  CHECK(std::abs(correlation(a, uniforms(rng(7).stream(0), many))) < limit);
  CHECK(std::abs(correlation(uniforms(random.fork(1).stream(0), many), uniforms(random.fork(2).stream(0), many))) < limit);

  auto first = random.stream(3);  // a fork is keyed by no number that a stream hands out
  std::uint64_t const high = first();
  CHECK(random.fork(3).key() != (high << 32 | first()));

  std::set<std::uint64_t> keys{random.key()};  // forks of forks are all different
  for (std::uint64_t i = 0; i < 100; ++i) {
    keys.insert(random.fork(i).key());
    for (std::uint64_t j = 0; j < 100; ++j) keys.insert(random.fork(i).fork(j).key());
  }
  CHECK(keys.size() == 1 + 100 + 100 * 100);
}

TEST_CASE("a source of randomness is a value: the same arguments give the same numbers") {
  CHECK(uniforms(rng(8).fork(3).stream(4), 10) == uniforms(rng(8).fork(3).stream(4), 10));
  CHECK(uniforms(rng(8).fork(3).stream(4), 10) != uniforms(rng(8).fork(4).stream(3), 10));
  CHECK(rng(8).fork(3).seed() == 8);
}

TEST_CASE("shuffling reaches every order equally often") {
  std::array<double, 6> seen{};
  auto stream = rng(9).stream(0);
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> items{0, 1, 2};
    shuffle(std::span(items), stream);
    ++seen[static_cast<std::size_t>(2 * items[0] + (items[1] > items[2]))];
  }
  for (double count : seen) CHECK(std::abs(count - 1000) < 5 * std::sqrt(1000.0));
}
