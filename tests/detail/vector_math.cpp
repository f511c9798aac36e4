// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/vector_math.hpp>

#include <pareidolia/detail/dispatch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace {

using namespace pareidolia::detail;

enum class function { sin, sin_cos_sin, cos, exp, log };

template <function Which>
struct elementwise {
  template <std::size_t Lanes>
  [[gnu::always_inline]] static inline void run(std::span<float> const& x) {
    for (std::size_t i = 0; i < x.size(); i += Lanes) {
      typename vectors<Lanes>::floats v;
      load(&x[i], v);
      if constexpr (Which == function::sin) vector_sin(v);
      if constexpr (Which == function::sin_cos_sin || Which == function::cos) {
        auto sine = v;
        vector_sin_cos(sine, v);
        if constexpr (Which == function::sin_cos_sin) v = sine;
      }
      if constexpr (Which == function::exp) vector_exp(v);
      if constexpr (Which == function::log) vector_log(v);
      store(v, &x[i]);
    }
  }
};

std::vector<instruction_set> available() {
  std::vector<instruction_set> sets;
  for (auto set : {instruction_set::baseline, instruction_set::avx2, instruction_set::avx512})
    if (set <= best_instruction_set()) sets.push_back(set);
  return sets;
}

/// 2^16 points from low to high, evenly spaced, in floats.
std::vector<float> grid(double low, double high) {
  constexpr std::size_t count = 1 << 16;
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<float>(low + (high - low) * static_cast<double>(i) / (count - 1));
  return x;
}

/// The largest error(got, input) over x, over every instruction set of this machine.
template <function Which, class Error>
double worst(std::vector<float> const& x, Error const& error) {
  double largest = 0;
  for (auto set : available()) {
    std::vector<float> y = x;
    dispatch<elementwise<Which>>(set, std::span(y));
    for (std::size_t i = 0; i < x.size(); ++i) {
      double const e = error(double{y[i]}, double{x[i]});
      largest = e <= largest ? largest : e;  // keeps a NaN
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("the vector sine is within 2e-7 of the double sine up to 1e5") {
  auto const error = [](double got, double x) { return std::abs(got - std::sin(x)); };
  for (double range : {0.01, 1.6, 10., 300., 1e4, 1e5}) CHECK(worst<function::sin>(grid(-range, range), error) < 2e-7);
}

TEST_CASE("the vector sine and cosine together are within 4e-7 of the double ones up to 1e5") {
  auto const sine = [](double got, double x) { return std::abs(got - std::sin(x)); };
  auto const cosine = [](double got, double x) { return std::abs(got - std::cos(x)); };
  for (double range : {0.01, 1.6, 10., 300., 1e4, 1e5}) {
    CHECK(worst<function::sin_cos_sin>(grid(-range, range), sine) < 2e-7);
    CHECK(worst<function::cos>(grid(-range, range), cosine) < 4e-7);
  }
}

TEST_CASE("the vector exponential has a relative error below 2e-7 and saturates outside its range") {
  auto const relative = [](double got, double x) { return std::abs(got / std::exp(x) - 1); };
  for (double range : {0.01, 1., 20., 87.3}) CHECK(worst<function::exp>(grid(-range, range), relative) < 2e-7);
  CHECK(worst<function::exp>(grid(-1e6, -88), [](double got, double) { return got; }) < 2e-38);
  CHECK(worst<function::exp>(grid(89, 1e6), [](double got, double) { return std::abs(got / std::exp(88.) - 1); }) < 2e-6);
}

TEST_CASE("the vector logarithm is within 2e-7 max(1, |log x|)") {
  auto const error = [](double got, double x) { return std::abs(got - std::log(x)) / std::max(1., std::abs(std::log(x))); };
  CHECK(worst<function::log>(grid(0x1p-24, 1), error) < 2e-7);
  CHECK(worst<function::log>(grid(0.9, 1.1), error) < 2e-7);
  CHECK(worst<function::log>(grid(1e-37, 1e-30), error) < 2e-7);
  CHECK(worst<function::log>(grid(1, 1e30), error) < 2e-7);
  CHECK(worst<function::log>({std::vector<float>(16, 0.f)}, [](double got, double) { return std::abs(got + 88); }) < 1);
}
