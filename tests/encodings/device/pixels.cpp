// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/device/pixels.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia_test {
namespace {

using here = pixel_genes<space::host>;
using there = pixel_genes<space::device>;

constexpr std::array<std::size_t, 4> one_image{1, 3, 11, 17};

tensor<float, 2> genes_of(here const& p) { return on_host(p.rows()); }
tensor<float, 2> genes_of(there const& p) { return on_host(view<float const, 2, space::device>(p.rows())); }

/// Children of the same parents on host and device.
struct both {
  here host;
  there device;
};
both drawn(pixels const& e, std::size_t n, std::uint64_t seed = 1) {
  auto const canvas = filled<float, 4>(one_image);
  auto const start = on_device(canvas);
  both p{e.buffer(n, as_view(canvas)), e.buffer(n, start.view())};
  e.draw(p.host, rng(seed));
  e.draw(p.device, rng(seed));
  return p;
}
both varied(pixels const& e, both const& parents, std::uint64_t seed) {
  both children = drawn(e, parents.host.size(), 99);
  e.vary(parents.host, children.host, rng(seed));
  e.vary(parents.device, children.device, rng(seed));
  return children;
}

/// Genes that differ by more than rounding: a mutation may strike a neighbour where a logarithm is rounded the other way.
std::size_t different(both const& p, float rounding) {
  auto const a = genes_of(p.host), b = genes_of(p.device);
  std::size_t count = 0;
  for (std::size_t j = 0; j < a.size(); ++j) count += !(std::abs(a.data()[j] - b.data()[j]) <= rounding);
  return count;
}

}  // namespace

TEST_CASE("neutral genotypes in device memory show their canvases") {
  if (!has_device()) return;
  auto const canvas = random_values<4>({3, 3, 11, 17}, 1);
  auto const start = on_device(canvas);
  CHECK(genes_of(pixels{}.buffer(7, start.view())) == genes_of(pixels{}.buffer(7, as_view(canvas))));
  CHECK_THROWS_WITH_AS(static_cast<void>(pixels{.rate = 2}.buffer(1, start.view())), doctest::Contains("pixels: rate is 2"), error);
}

TEST_CASE("genotypes in device memory are gathered and scattered") {
  if (!has_device()) return;
  both p = drawn({}, 5, 1), q = drawn({}, 4, 2);
  std::vector<std::size_t> const to{4, 0, 1}, from{3, 3, 0};
  p.host.assign(to, q.host, from);
  p.device.assign(to, q.device, from);
  CHECK(different(p, 0) == 0);
}

TEST_CASE("genes are drawn on the device as on the host, to the bit") {
  if (!has_device()) return;
  for (std::size_t n : {1u, 4u, 13u}) {
    auto const p = drawn({}, n, n);
    CHECK(p.device.size() == n);
    CHECK(different(p, 0) == 0);
  }
}

TEST_CASE("images are decoded on the device as on the host, to the bit") {
  if (!has_device()) return;
  for (std::size_t levels : {0u, 2u, 3u, 256u, 1000u}) {
    pixels const e{.levels = levels};
    auto p = drawn(e, 4);
    p.host.genes[0] = -0.5f;
    p.host.genes[1] = 1.5f;
    p.host.genes[2] = 1;
    copy(view<float const, 2>(p.host.rows()), p.device.rows());
    for (std::size_t count : {4u, 12u}) {  // on one canvas, on twelve
      auto x = filled<float, 4>({count, 3, 11, 17});
      storage<float, 4, space::device> const images(x.shape());
      auto const canvas = filled<float, 4>({count == 4 ? 1 : count, 3, 11, 17});
      auto const start = on_device(canvas);
      e.decode(p.host, as_view(canvas), as_view(x));
      e.decode(p.device, start.view(), images.view());
      CHECK(on_host(images.view()) == x);
    }
  }
}

TEST_CASE("gradients of a genotype's images are added up on the device as on the host, to the bit") {
  if (!has_device()) return;
  for (std::size_t genotypes : {1u, 3u, 6u}) {
    auto const p = drawn({}, genotypes);
    auto sums = drawn({}, genotypes);
    auto const dx = random_values<4>({6, 3, 11, 17}, 4, -1, 1);
    auto const gradient = on_device(dx);
    pixels{}.pullback(p.host, as_view(dx), as_view(dx), sums.host);
    pixels{}.pullback(p.device, gradient.view(), gradient.view(), sums.device);
    CHECK(different(sums, 0) == 0);
  }
}

TEST_CASE("colours are painted, and gradients pulled back through them, on the device as on the host but for rounding") {
  if (!has_device()) return;
  for (auto colours : {pixel_colours::hsv, pixel_colours::hls})
    for (std::size_t levels : {0u, 256u})
      for (std::size_t genotypes : {1u, 4u}) {
        pixels const e{.levels = levels, .colours = colours, .hue_turns = 255 / 180.f};
        auto p = drawn(e, genotypes);
        p.host.genes[0] = -0.5f;
        p.host.genes[1] = 1.5f;
        copy(view<float const, 2>(p.host.rows()), p.device.rows());
        auto x = filled<float, 4>({4, 3, 11, 17});
        storage<float, 4, space::device> const images(x.shape());
        auto const canvas = random_values<4>({4, 3, 11, 17}, 3);
        auto const start = on_device(canvas);
        e.decode(p.host, as_view(canvas), as_view(x));
        e.decode(p.device, start.view(), images.view());
        auto const seen = on_host(images.view());
        std::size_t elsewhere = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          float const distance = std::abs(x.data()[j] - seen.data()[j]);
          CHECK(distance < (levels == 0 ? 2e-6f : 1.01f / 255));
          elsewhere += distance > 2e-6f;
        }
        CHECK(elsewhere < 10);  // rounded to the next level

        auto const dx = random_values<4>({4, 3, 11, 17}, 4, -1, 1);
        auto const gradient = on_device(dx);
        auto sums = drawn(e, genotypes);
        e.pullback(p.host, as_view(canvas), as_view(dx), sums.host);
        e.pullback(p.device, start.view(), gradient.view(), sums.device);
        CHECK(different(sums, 1e-4f) <= 2);  // at a corner of the colour wheel either slope will do
        CHECK(genes_of(e.buffer(4, start.view())) == genes_of(e.buffer(4, as_view(canvas))));
      }
}

TEST_CASE("children on the device are the host's but for rounding") {
  if (!has_device()) return;
  for (pixels const& e : {pixels{.rate = 0}, pixels{}, pixels{.rate = 1}, pixels{.rate = 0.7f, .eta = 0}, pixels{.crossover = 0.5f},
                          pixels{.rate = 0, .crossover = 1, .crossover_eta = 2}}) {
    CAPTURE(e.rate);
    CAPTURE(e.crossover);
    for (std::size_t n : {1u, 6u, 7u}) {
      auto const parents = drawn(e, n, n);
      auto const children = varied(e, parents, n + 20);
      CHECK(different({parents.host, drawn(e, n, n).device}, 0) == 0);  // parents stay as they are
      CHECK(different(children, 2e-6f) == 0);
      bool const changes = e.rate > 0 || (e.crossover > 0 && n > 1);
      CHECK((genes_of(children.host) != genes_of(parents.host)) == changes);
    }
  }
}

TEST_CASE("mutations reach the whole of a genotype that is much longer than a block of threads") {
  if (!has_device()) return;
  auto const canvas = filled<float, 4>({1, 3, 100, 100}, 0.5f);
  auto const start = on_device(canvas);
  for (float rate : {0.1f, 0.001f}) {
    pixels const e{.rate = rate};
    both parents{e.buffer(2, as_view(canvas)), e.buffer(2, start.view())},
        children{e.buffer(2, as_view(canvas)), e.buffer(2, start.view())};
    e.vary(parents.host, children.host, rng(5));
    e.vary(parents.device, children.device, rng(5));
    CHECK(different(children, 2e-6f) == 0);
    std::size_t changed = 0;
    for (float v : children.host.genes) changed += v != 0.5f;
    CHECK(static_cast<float>(changed) == doctest::Approx(60'000 * rate).epsilon(0.3));
  }
}

TEST_CASE("genes that are equal in both parents are inherited by crossover on the device") {
  if (!has_device()) return;
  pixels const e{.rate = 0, .crossover = 1};
  both parents = drawn(e, 2);
  std::copy_n(parents.host.genes.begin(), parents.host.length,
              parents.host.genes.begin() + static_cast<std::ptrdiff_t>(parents.host.length));
  copy(view<float const, 2>(parents.host.rows()), parents.device.rows());
  CHECK(genes_of(varied(e, parents, 1).device) == genes_of(parents.host));
}

}  // namespace pareidolia_test
