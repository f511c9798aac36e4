// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/variation.hpp>

#include <pareidolia/core/random.hpp>
#include <pareidolia/detail/dispatch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia::detail;

std::vector<instruction_set> available() {
  std::vector<instruction_set> sets;
  for (auto set : {instruction_set::baseline, instruction_set::avx2, instruction_set::avx512})
    if (set <= best_instruction_set()) sets.push_back(set);
  return sets;
}

struct generation {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static void run(random_block* const& out, std::uint64_t const& key, std::uint64_t const& stream,
                                         std::uint64_t const& b) {
    out->generate(key, stream, b);
  }
};

}  // namespace

TEST_CASE("a random block holds the numbers of sixteen blocks of its stream") {
  for (auto set : available())
    for (std::uint64_t const b : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{0xfffffff}, std::uint64_t{0x123456789a}}) {
      std::uint64_t const key = 0x0123456789abcdef, stream = 0xfedcba9876543210;
      random_block block;
      dispatch<generation>(set, &block, key, stream, b);
      for (std::size_t l = 0; l < 16; ++l) {
        auto const expected = random_stream::philox(key, stream, 16 * b + l);
        for (std::size_t w = 0; w < 4; ++w) CHECK(block.numbers[16 * w + l] == expected[w]);
      }
    }
}

TEST_CASE("mutation and crossover agree on every instruction set") {
  std::vector<float> const parent = [] {
    std::vector<float> genes(1003);
    auto stream = rng(1).stream(0);
    for (float& v : genes) v = stream.uniform();
    return genes;
  }();
  std::vector<float> first_a, first_b;
  for (auto set : available()) {
    auto a = parent, b = std::vector<float>(parent.rbegin(), parent.rend());
    dispatch<simulated_binary_crossover>(set, std::span(a), std::span(b), 10.f, std::uint64_t{7}, std::uint64_t{8});
    dispatch<polynomial_mutation>(set, std::span(a), 0.3f, 15.f, std::uint64_t{9}, std::uint64_t{10});
    if (first_a.empty()) {
      first_a = a;
      first_b = b;
      CHECK(a != parent);
    }
    for (std::size_t j = 0; j < a.size(); ++j) {
      CHECK(std::abs(a[j] - first_a[j]) < 1e-5f);
      CHECK(std::abs(b[j] - first_b[j]) < 1e-5f);
    }
  }
}

TEST_CASE("crossover is bounded SBX, gene by gene") {
  auto const spread = [](double u, double eta, double room, double width) {
    double const beta = 1 + 2 * room / width, alpha = 2 - std::pow(beta, -(eta + 1)), z = u * alpha;
    return std::pow(z <= 1 ? z : 1 / (2 - z), 1 / (eta + 1));
  };
  std::uint64_t const key = 3, stream = 4;
  for (float eta : {0.f, 2.f, 10.f})
    for (auto set : available()) {
      std::vector<float> a(100), b(100);
      auto genes = rng(5).stream(0);
      for (std::size_t j = 0; j < a.size(); ++j) {
        a[j] = genes.uniform();
        b[j] = j % 10 == 0 ? a[j] : genes.uniform();
      }
      auto const parent_a = a, parent_b = b;
      dispatch<simulated_binary_crossover>(set, std::span(a), std::span(b), eta, key, stream);
      for (std::size_t j = 0; j < a.size(); ++j) {
        // Gene j takes number j mod 32 of the random_block j / 32: word w of a block of 16 is there 16 at a time.
        std::size_t const place = j % block_genes;
        auto const number = random_stream::philox(key, stream, 16 * (j / block_genes) + place % 16)[place / 16];
        double const low = double{std::min(parent_a[j], parent_b[j])}, high = double{std::max(parent_a[j], parent_b[j])};
        double const u = (number / 256 + 1) * 0x1p-24;
        double const one = (low + high - spread(u, double{eta}, low, high - low) * (high - low)) / 2;
        double const other = (low + high + spread(u, double{eta}, 1 - high, high - low) * (high - low)) / 2;
        if (low == high) {
          CHECK(a[j] == parent_a[j]);
          CHECK(b[j] == parent_b[j]);
        } else {
          CHECK(std::abs(double{std::min(a[j], b[j])} - std::clamp(std::min(one, other), 0.0, 1.0)) < 1e-5);
          CHECK(std::abs(double{std::max(a[j], b[j])} - std::clamp(std::max(one, other), 0.0, 1.0)) < 1e-5);
          CHECK((a[j] > b[j]) == (number % 2 == 1));
        }
      }
    }
}

TEST_CASE("quantisation agrees with its formula on every instruction set, whatever the length") {
  auto stream = rng(2).stream(0);
  for (auto set : available())
    for (std::size_t n : {0u, 1u, 3u, 16u, 31u, 100u}) {
      std::vector<float> v(n), x(n + 1, -1.f);
      for (float& gene : v) gene = stream.uniform();
      if (n != 0) v.back() = 1;
      dispatch<quantisation>(set, std::span<float const>(v), std::span(x).first(n), 256.f);
      for (std::size_t j = 0; j < n; ++j) CHECK(x[j] == std::min(std::floor(v[j] * 256) / 255, 1.f));
      CHECK(x[n] == -1);
    }
}

TEST_CASE("mutation survives the extremes of its rate") {
  std::vector<float> genes(100, 0.5f);
  auto const before = genes;
  for (auto set : available()) {
    dispatch<polynomial_mutation>(set, std::span(genes), 1e-30f, 15.f, std::uint64_t{1}, std::uint64_t{1});
    CHECK(genes == before);
    dispatch<polynomial_mutation>(set, std::span(genes).first(0), 1.f, 15.f, std::uint64_t{1}, std::uint64_t{1});
    CHECK(genes == before);
  }
}
