// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/pixels.hpp>

#include <pareidolia/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;
using genes = pixel_genes<space::host>;

labelled_images const grey_canvas{filled<float, 4>({1, 1, 50, 40}, 0.5f), {}};

genes neutral(pixels const& e, std::size_t n, labelled_images const& canvas = grey_canvas) { return e.buffer(n, as_view(canvas.images)); }

genes drawn(pixels const& e, std::size_t n, std::uint64_t seed) {
  auto p = neutral(e, n);
  e.draw(p, rng(seed));
  return p;
}

genes children_of(pixels const& e, genes const& parents, std::uint64_t seed) {
  auto children = neutral(e, parents.size());
  e.vary(parents, children, rng(seed));
  return children;
}

tensor<float, 4> decoded(pixels const& e, genes const& p, labelled_images const& canvas = grey_canvas) {
  auto const& s = canvas.images.shape();
  auto x = filled<float, 4>({std::max(p.size(), s[0]), s[1], s[2], s[3]}, -1.f);
  e.decode(p, as_view(canvas.images), as_view(x));
  return x;
}

}  // namespace

TEST_CASE("pixels draws genes uniform in [0, 1]") {
  auto const p = drawn(pixels{}, 20, 1);
  double sum = 0, squares = 0;
  for (float v : p.genes) {
    CHECK_UNARY(v >= 0 && v <= 1);
    sum += double{v};
    squares += double{v} * double{v};
  }
  auto const n = static_cast<double>(p.genes.size());
  CHECK(sum / n == doctest::Approx(0.5).epsilon(0.02));
  CHECK(squares / n == doctest::Approx(1.0 / 3).epsilon(0.02));
}

TEST_CASE("pixels mutates each gene with the given probability, independently") {
  for (float rate : {0.001f, 0.1f, 0.6f, 1.f}) {
    pixels const e{.rate = rate};
    auto const parents = neutral(e, 400);
    auto const children = children_of(e, parents, 7);
    std::size_t changed = 0, neighbours = 0;
    for (std::size_t j = 0; j < parents.genes.size(); ++j) {
      bool const here = children.genes[j] != parents.genes[j];
      changed += here;
      neighbours += j != 0 && here && children.genes[j - 1] != parents.genes[j - 1];
    }
    auto const n = static_cast<double>(parents.genes.size());
    double const p = double{rate}, wobble = 5 * std::sqrt(n * p * (1 - p)) + 1e-5 * n;
    CHECK(std::abs(static_cast<double>(changed) - n * p) < wobble);
    CHECK(std::abs(static_cast<double>(neighbours) - n * p * p) < 5 * std::sqrt(n * p * p) + 1e-5 * n);
  }
}

TEST_CASE("pixels of rate 0 clones") {
  auto const parents = drawn(pixels{}, 5, 2);
  CHECK(children_of(pixels{.rate = 0}, parents, 1).genes == parents.genes);
}

TEST_CASE("pixels' steps follow the polynomial distribution") {
  // P(delta <= -d) = (1 - d)^(eta + 1) / 2 for d in [0, 1], and the same upwards.
  for (float eta : {2.f, 15.f}) {
    pixels const e{.rate = 1, .eta = eta};
    auto const parents = neutral(e, 100);  // 0.5: steps up to 0.5 are not clipped
    auto const children = children_of(e, parents, 3);
    auto const n = static_cast<double>(children.genes.size());
    for (float d : {0.01f, 0.05f, 0.1f, 0.3f}) {
      std::size_t down = 0, up = 0;
      for (float v : children.genes) {
        down += v - 0.5f <= -d;
        up += v - 0.5f >= d;
      }
      double const expected = std::pow(1 - double{d}, double{eta} + 1) / 2, wobble = 5 * std::sqrt(expected / n);
      CHECK(std::abs(static_cast<double>(down) / n - expected) < wobble);
      CHECK(std::abs(static_cast<double>(up) / n - expected) < wobble);
    }
  }
}

TEST_CASE("pixels clips what leaves [0, 1]") {
  pixels const e{.rate = 1, .eta = 1};
  auto parents = neutral(e, 10);
  for (std::size_t j = 0; j < parents.genes.size(); ++j) parents.genes[j] = static_cast<float>(j % 2);
  auto const children = children_of(e, parents, 5);
  std::size_t at_bound = 0;
  for (float v : children.genes) {
    CHECK_UNARY(v >= 0 && v <= 1);
    at_bound += v == 0 || v == 1;
  }
  CHECK(static_cast<double>(at_bound) / static_cast<double>(children.genes.size()) == doctest::Approx(0.5).epsilon(0.03));
}

TEST_CASE("pixels' children depend on their own stream alone") {
  pixels const e{.crossover = 0.5f};
  auto const parents = drawn(e, 41, 1);
  auto const children = children_of(e, parents, 9);
  CHECK(children_of(e, parents, 9).genes == children.genes);
  CHECK(children_of(e, parents, 10).genes != children.genes);

  auto fewer = parents;  // the first 20 couples again, without the last child
  fewer.genes.resize(40 * fewer.length);
  auto const again = children_of(e, fewer, 9);
  CHECK(std::equal(again.genes.begin(), again.genes.end(), children.genes.begin()));
  CHECK_FALSE(std::equal(children.rows().row(0).begin(), children.rows().row(0).end(), children.rows().row(2).begin()));
}

#ifdef _OPENMP
TEST_CASE("pixels gives the same children with one thread and with three") {
  pixels const e{.crossover = 0.5f};
  auto const parents = drawn(e, 100, 1);
  int const threads = omp_get_max_threads();
  omp_set_num_threads(1);
  auto const one = children_of(e, parents, 4);
  auto const one_image = decoded(e, one);
  omp_set_num_threads(3);
  auto const three = children_of(e, parents, 4);
  auto const three_image = decoded(e, three);
  omp_set_num_threads(threads);
  CHECK(one.genes == three.genes);
  CHECK(one_image == three_image);
}
#endif

TEST_CASE("pixels' crossover keeps the mean of a couple where no bound is in the way") {
  pixels const e{.rate = 0, .crossover = 1, .crossover_eta = 60};
  auto parents = neutral(e, 2);
  std::fill_n(parents.genes.begin(), parents.length, 0.4f);
  std::fill_n(parents.genes.begin() + static_cast<std::ptrdiff_t>(parents.length), parents.length, 0.6f);
  auto const children = children_of(e, parents, 2);
  std::size_t swapped = 0, inside = 0;
  for (std::size_t j = 0; j < children.length; ++j) {
    float const a = children.rows().row(0)[j], b = children.rows().row(1)[j];
    CHECK(a + b == doctest::Approx(1).epsilon(1e-4));
    swapped += a > b;
    inside += std::abs(a - b) < 0.2f;
  }
  auto const n = static_cast<double>(children.length);
  CHECK(static_cast<double>(swapped) / n == doctest::Approx(0.5).epsilon(0.1));
  CHECK(static_cast<double>(inside) / n == doctest::Approx(0.5).epsilon(0.1));  // SBX contracts as often as it spreads
}

TEST_CASE("pixels' crossover follows the distribution of its spread") {
  // Far from the bounds alpha = 2 and P(b <= z) = z^(eta + 1) / 2 for z <= 1.
  pixels const e{.rate = 0, .crossover = 1, .crossover_eta = 10};
  auto parents = neutral(e, 2);
  std::fill_n(parents.genes.begin(), parents.length, 0.49f);
  std::fill_n(parents.genes.begin() + static_cast<std::ptrdiff_t>(parents.length), parents.length, 0.51f);
  auto const children = children_of(e, parents, 3);
  for (double z : {0.8, 0.9, 1.0}) {
    std::size_t below = 0;
    for (std::size_t j = 0; j < children.length; ++j)
      below += std::abs(double{children.rows().row(0)[j]} - double{children.rows().row(1)[j]}) / 0.02 <= z;
    auto const n = static_cast<double>(children.length);
    double const expected = std::pow(z, 11) / 2;
    CHECK(std::abs(static_cast<double>(below) / n - expected) < 5 * std::sqrt(expected / n) + 1e-3);
  }
}

TEST_CASE("pixels' crossover respects the bounds and inherits equal genes") {
  pixels const e{.rate = 0, .crossover = 1, .crossover_eta = 0};
  auto parents = drawn(e, 2, 6);
  for (std::size_t j = 0; j < parents.length; j += 2) parents.rows().row(1)[j] = parents.rows().row(0)[j];
  parents.rows().row(0)[1] = 0;
  parents.rows().row(1)[1] = 1;
  auto const children = children_of(e, parents, 6);
  std::size_t changed = 0;
  for (std::size_t j = 0; j < parents.length; ++j)
    for (std::size_t i : {0u, 1u}) {
      float const child = children.rows().row(i)[j];
      CHECK_UNARY(child >= 0 && child <= 1);
      if (j % 2 == 0) CHECK(child == parents.rows().row(0)[j]);
      changed += child != parents.rows().row(i)[j];
    }
  CHECK(changed > parents.length * 9 / 10);
}

TEST_CASE("pixels crosses the given share of couples") {
  pixels const e{.rate = 0, .crossover = 0.5f};
  auto const parents = drawn(e, 400, 1);
  auto const children = children_of(e, parents, 2);
  std::size_t crossed = 0;
  for (std::size_t c = 0; c < 200; ++c)
    crossed += !std::equal(children.rows().row(2 * c).begin(), children.rows().row(2 * c).end(), parents.rows().row(2 * c).begin());
  CHECK(crossed > 65);
  CHECK(crossed < 135);
}

TEST_CASE("pixels shows 256 levels that 8 bits hold, all of them equally often") {
  auto const x = decoded(pixels{}, drawn(pixels{}, 100, 3));
  std::array<std::size_t, 256> seen{};
  for (float v : x) {
    auto const byte = static_cast<std::size_t>(std::lround(v * 255));
    CHECK(v == static_cast<float>(byte) / 255);
    ++seen[byte];
  }
  double const expected = static_cast<double>(x.size()) / 256;
  CHECK(static_cast<double>(*std::min_element(seen.begin(), seen.end())) > 0.75 * expected);
  CHECK(static_cast<double>(*std::max_element(seen.begin(), seen.end())) < 1.25 * expected);
}

TEST_CASE("pixels shows every level that it is given unchanged, black and white included") {
  for (std::size_t levels : {2u, 3u, 16u, 255u, 256u, 1000u, 1024u}) {
    auto canvas = blank({1, 1, levels});
    for (std::size_t k = 0; k < levels; ++k) canvas.images.data()[k] = static_cast<float>(k) / static_cast<float>(levels - 1);
    pixels const e{.levels = levels};
    CHECK(decoded(e, neutral(e, 1, canvas), canvas) == canvas.images);
  }
}

TEST_CASE("pixels without levels shows its genes") {
  pixels const e{.levels = 0};
  auto const p = drawn(e, 3, 8);
  auto const x = decoded(e, p);
  CHECK(std::equal(x.begin(), x.end(), p.genes.begin(), p.genes.end()));
}

TEST_CASE("pixels clips the genes that a gradient step has put outside [0, 1]") {
  auto const canvas = blank({1, 1, 5});
  for (std::size_t levels : {0u, 2u, 256u}) {
    pixels const e{.levels = levels};
    auto p = neutral(e, 1, canvas);
    p.genes = {-3, -0.001f, 1, 1.001f, 40};
    CHECK(decoded(e, p, canvas) == tensor<float, 4>{{{{0, 0, 1, 1, 1}}}});
  }
}

TEST_CASE("pixels shows one genotype on every canvas, and sums their gradients") {
  labelled_images const canvas{filled<float, 4>({3, 1, 2, 2}), {}};
  pixels const e;
  auto one = neutral(e, 1, canvas);
  one.genes = {0, 0.2f, 0.6f, 1};
  auto const x = decoded(e, one, canvas);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) CHECK(x.data()[4 * i + j] == x.data()[j]);

  auto dx = filled<float, 4>({3, 1, 2, 2});
  for (std::size_t j = 0; j < 12; ++j) dx.data()[j] = static_cast<float>(j);
  auto dp = neutral(e, 1, canvas);
  e.pullback(one, as_view(canvas.images), as_view(dx), dp);
  CHECK(dp.genes == std::vector<float>{12, 15, 18, 21});
}

TEST_CASE("pixels' pullback of the continuous encoding is the identity for several genotypes") {
  pixels const e{.levels = 0};
  auto const p = drawn(e, 4, 1);
  auto const dx = decoded(e, drawn(e, 4, 2));
  auto dp = neutral(e, 4);
  e.pullback(p, as_view(grey_canvas.images), as_view(dx), dp);
  CHECK(std::equal(dp.genes.begin(), dp.genes.end(), dx.begin(), dx.end()));
}

namespace {

labelled_images const colour_canvas{filled<float, 4>({1, 3, 7, 9}, 0.5f), {}};  // 63 places: no multiple of a vector

struct colour_test {
  pixel_colours colours;
  std::array<float, 3> genes, rgb;
};

/// Textbook formulas, sector by sector.
std::array<double, 3> textbook(pixel_colours colours, double h, double second, double third) {
  double const sector = (h - std::floor(h)) * 6;
  double const chroma = colours == pixel_colours::hsv ? third * second : third * (1 - std::abs(2 * second - 1));
  double const lowest = colours == pixel_colours::hsv ? third - chroma : second - chroma / 2;
  double const middle = lowest + chroma * (1 - std::abs(std::fmod(sector, 2) - 1)), highest = lowest + chroma;
  switch (static_cast<int>(sector)) {
    case 0:
      return {highest, middle, lowest};
    case 1:
      return {middle, highest, lowest};
    case 2:
      return {lowest, highest, middle};
    case 3:
      return {lowest, middle, highest};
    case 4:
      return {middle, lowest, highest};
    default:
      return {highest, lowest, middle};
  }
}

}  // namespace

TEST_CASE("pixels knows the names of colours") {
  using enum pixel_colours;
  for (auto const& [colours, named, rgb] :
       {colour_test{hsv, {0, 1, 1}, {1, 0, 0}}, colour_test{hsv, {0.5f, 1, 1}, {0, 1, 1}},
        colour_test{hsv, {0.3f, 0, 0.25f}, {.25f, .25f, .25f}}, colour_test{hls, {1 / 3.f, 0.5f, 1}, {0, 1, 0}},
        colour_test{hls, {0.9f, 1, 1}, {1, 1, 1}}, colour_test{hls, {2 / 3.f, 0.25f, 1}, {0, 0, .5f}}}) {
    pixels const e{.levels = 0, .colours = colours};
    auto p = neutral(e, 1, colour_canvas);
    std::size_t const plane = p.length / 3;
    for (std::size_t j = 0; j < p.length; ++j) p.genes[j] = named[j / plane];
    auto const x = decoded(e, p, colour_canvas);
    for (std::size_t j = 0; j < p.length; ++j) CHECK(x.data()[j] == doctest::Approx(rgb[j / plane]).epsilon(1e-6));
  }
}

TEST_CASE("pixels paints what the textbook says, rounded to levels that 8 bits hold") {
  for (auto colours : {pixel_colours::hsv, pixel_colours::hls})
    for (float turns : {1.f, 255 / 180.f})
      for (std::size_t levels : {0u, 2u, 256u}) {
        pixels const e{.levels = levels, .colours = colours, .hue_turns = turns};
        auto p = neutral(e, 5, colour_canvas);
        e.draw(p, rng(3));
        p.genes[0] = -2;
        p.genes[1] = 3;
        p.genes[2] = 1;
        auto const x = decoded(e, p, colour_canvas);
        std::size_t const plane = p.length / 3;
        auto const count = static_cast<double>(levels);
        auto const level = [&](float gene) {
          double const v = std::clamp(double{gene}, 0., 1.);
          return levels == 0 ? v : std::min(std::floor(count * v), count - 1) / (count - 1);
        };
        std::size_t elsewhere = 0;
        for (std::size_t i = 0; i < 5; ++i)
          for (std::size_t j = 0; j < plane; ++j) {
            auto const v = p.rows().row(i);
            auto const rgb = textbook(colours, level(v[j]) * double{turns}, level(v[plane + j]), level(v[2 * plane + j]));
            for (std::size_t c = 0; c < 3; ++c) {
              double const found = double{x.data()[i * p.length + c * plane + j]};
              if (levels == 0) {
                CHECK(std::abs(found - rgb[c]) < 3e-6);
              } else {
                CHECK(found == doctest::Approx(std::round(found * (count - 1)) / (count - 1)).epsilon(1e-6));
                CHECK(std::abs(found - rgb[c]) < 0.5 / (count - 1) + 3e-6);
                elsewhere += std::abs(found - rgb[c]) > 0.5 / (count - 1);
              }
            }
          }
        CHECK(elsewhere < 4);
      }
}

TEST_CASE("pixels leaves images that have not three channels to their genes, whatever the colours") {
  auto const p = drawn(pixels{}, 3, 5);
  CHECK(decoded(pixels::paper(), p) == decoded(pixels{}, p));
  CHECK(neutral(pixels::released_code(), 2).genes == neutral(pixels{}, 2).genes);
}

TEST_CASE("a neutral genotype of pixels shows its canvas in any colour space") {
  labelled_images canvas{filled<float, 4>({2, 3, 5, 5}), {}};
  auto stream = rng(4).stream(0);
  for (float& v : canvas.images) v = stream.uniform();
  for (std::size_t j = 0; j < 3; ++j) {
    canvas.images.data()[25 * j] = 0;           // black
    canvas.images.data()[25 * j + 1] = 1;       // white
    canvas.images.data()[25 * j + 2] = 0.25f;   // grey
    canvas.images.data()[25 * j + 3] = j == 2;  // blue
  }
  for (auto colours : {pixel_colours::hsv, pixel_colours::hls})
    for (float turns : {1.f, 255 / 180.f}) {
      pixels const e{.levels = 0, .colours = colours, .hue_turns = turns};
      auto const x = decoded(e, neutral(e, 2, canvas), canvas);
      for (std::size_t j = 0; j < x.size(); ++j) CHECK(std::abs(x.data()[j] - canvas.images.data()[j]) < 2e-6f);

      labelled_images const grey{filled<float, 4>({1, 3, 5, 5}, 51 / 255.f), {}};
      pixels const rounded{.colours = colours, .hue_turns = turns};
      CHECK(decoded(rounded, neutral(rounded, 1, grey), grey) == grey.images);
    }
}

TEST_CASE("pixels' pullback in colours is the derivative of its images, summed over the canvases") {
  labelled_images const canvases{filled<float, 4>({2, 3, 7, 9}, 0.5f), {}};
  for (auto colours : {pixel_colours::hsv, pixel_colours::hls}) {
    pixels const e{.levels = 0, .colours = colours, .hue_turns = 1.25f};
    auto p = neutral(e, 1, colour_canvas), weights = neutral(e, 2, colour_canvas), dp = p;
    e.draw(p, rng(8));
    e.draw(weights, rng(9));
    tensor<float, 4> dx = filled<float, 4>({2, 3, 7, 9});
    std::copy(weights.genes.begin(), weights.genes.end(), dx.begin());
    e.pullback(p, as_view(canvases.images), as_view(dx), dp);

    std::size_t const plane = p.length / 3;
    float const step = 1.f / 1024;
    std::size_t corners = 0;
    for (std::size_t j = 0; j < p.length; ++j) {
      auto more = p, less = p;
      more.genes[j] += step;
      less.genes[j] -= step;
      auto const up = decoded(e, more, colour_canvas), down = decoded(e, less, colour_canvas);
      double slope = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        std::size_t const k = c * plane + j % plane;
        slope += (double{up.data()[k]} - double{down.data()[k]}) * double{weights.genes[k] + weights.genes[p.length + k]};
      }
      corners += std::abs(slope / double{2 * step} - double{dp.genes[j]}) > 1e-3;
    }
    CHECK(corners <= 4);  // places where a step goes round a corner of the colour wheel
  }
}

TEST_CASE("pixels' gradient in colours goes through clipping and rounding") {
  pixels const smooth{.levels = 0, .colours = pixel_colours::hsv}, rounded{.levels = 2, .colours = pixel_colours::hsv};
  auto p = neutral(smooth, 1, colour_canvas);
  std::fill(p.genes.begin(), p.genes.end(), 7.f);  // shown as hue 1, saturation 1, value 1
  auto dx = filled<float, 4>({1, 3, 7, 9}, 1.f);
  for (pixels const& e : {smooth, rounded}) {
    auto dp = p;
    e.pullback(p, as_view(colour_canvas.images), as_view(dx), dp);
    CHECK(dp.genes[2 * dp.length / 3] == doctest::Approx(1));  // of red by value
    CHECK(dp.genes[dp.length / 3] == doctest::Approx(-2));     // of green and blue by saturation
  }
}

TEST_CASE("a neutral genotype of pixels shows its canvas") {
  labelled_images canvas{filled<float, 4>({2, 3, 4, 4}), {}};
  for (std::size_t j = 0; j < canvas.images.size(); ++j) canvas.images.data()[j] = static_cast<float>(j) / 255;
  pixels const e;
  CHECK(decoded(e, neutral(e, 2, canvas), canvas) == canvas.images);
}

TEST_CASE("pixels halves its rate on schedule") {
  pixels const e{.rate = 0.1f, .halve_every = 1000};
  CHECK(e.at(0).rate == 0.1f);
  CHECK(e.at(999).rate == 0.1f);
  CHECK(e.at(1000).rate == 0.05f);
  CHECK(e.at(3999).rate == 0.0125f);
  CHECK(e.at(3999).at(1000).rate == 0.0125f);  // what is due now stays
  CHECK(e.at(static_cast<std::size_t>(-1)).rate == 0);
  CHECK(pixels{}.at(100000).rate == 0.1f);
}

TEST_CASE("pixels gathers and scatters genotypes") {
  auto const p = drawn(pixels{}, 3, 1);
  auto q = neutral(pixels{}, 4);
  q.assign(std::array<std::size_t, 2>{3, 1}, p, std::array<std::size_t, 2>{0, 2});
  CHECK(std::equal(q.rows().row(3).begin(), q.rows().row(3).end(), p.rows().row(0).begin()));
  CHECK(std::equal(q.rows().row(1).begin(), q.rows().row(1).end(), p.rows().row(2).begin()));
  CHECK(q.rows().row(0)[0] == 0.5f);
}

TEST_CASE("pixels refuses settings outside their ranges") {
  auto const message = [](pixels const& e) {
    try {
      neutral(e, 1);
    } catch (error const& problem) {
      return std::string(problem.what());
    }
    return std::string("accepted");
  };
  CHECK(message(pixels{}) == "accepted");
  CHECK(message({.rate = 1.5f}).find("rate is 1.5") != std::string::npos);
  CHECK(message({.rate = std::nanf("")}).find("rate") != std::string::npos);
  CHECK(message({.eta = -1}).find("eta is -1") != std::string::npos);
  CHECK(message({.crossover = -0.1f}).find("crossover is -0.1") != std::string::npos);
  CHECK(message({.crossover_eta = -2}).find("crossover_eta is -2") != std::string::npos);
  CHECK(message({.levels = 1}).find("levels is 1") != std::string::npos);
  CHECK(message({.levels = 1025}).find("levels is 1025") != std::string::npos);
  CHECK(message({.hue_turns = -1}).find("hue_turns is -1") != std::string::npos);
  CHECK(message(pixels::paper()) == "accepted");
  CHECK(message(pixels::released_code()) == "accepted");
}

TEST_CASE("pixels' presets are the paper and its code") {
  constexpr pixels paper = pixels::paper(), code = pixels::released_code();
  CHECK(paper.at(2000).rate == 0.025f);
  CHECK(paper.crossover == 0);
  CHECK(paper.colours == pixel_colours::hsv);
  CHECK(code.at(2000).rate == 0.1f);
  CHECK(code.crossover == 0.5f);
  CHECK(code.crossover_eta == 10);
  CHECK(code.colours == pixel_colours::hls);
  CHECK(code.hue_turns * 180 == doctest::Approx(255));
}
