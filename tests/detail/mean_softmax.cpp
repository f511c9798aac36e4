// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/mean_softmax.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace pareidolia;

TEST_CASE("log_mean_softmax takes row r n + i as opinion r of image i") {
  float const log3 = std::log(3.f);
  std::vector<float> s{0, 0, log3, 0, 0, log3, log3, 0}, y(4);  // images 0, 1 and again 0, 1
  detail::log_mean_softmax({s.data(), {4, 2}}, {y.data(), {2, 2}});
  CHECK(y[0] == doctest::Approx(std::log(0.375)));
  CHECK(y[1] == doctest::Approx(std::log(0.625)));
  CHECK(y[2] == doctest::Approx(std::log(0.75)));
  CHECK(y[3] == doctest::Approx(std::log(0.25)));
  CHECK(s[5] == doctest::Approx(std::log(0.75)));
}

TEST_CASE("log_mean_softmax and its gradient are finite where probabilities are too small for a float") {
  std::vector<float> s{1000, 0, -1000, 3000, 0, 500}, y(3), ds(6);
  std::vector<float> const dy{0, 0, 1};
  detail::log_mean_softmax({s.data(), {2, 3}}, {y.data(), {1, 3}});
  CHECK(y[0] == 0);
  CHECK(y[1] == doctest::Approx(-1000 - std::log(2.f)));
  CHECK(y[2] == doctest::Approx(-2000 - std::log(2.f)));
  detail::log_mean_softmax_backward({s.data(), {2, 3}}, {y.data(), {1, 3}}, {dy.data(), {1, 3}}, {ds.data(), {2, 3}});
  // The first opinion alone has a say in class 2; beside 2000 a float holds 3 digits of the difference.
  std::vector<float> const expected{-1, 0, 1, 0, 0, 0};
  for (std::size_t j = 0; j < 6; ++j) CHECK(std::abs(ds[j] - expected[j]) < 1e-3f);
}

TEST_CASE("log_mean_softmax passes a NaN on") {
  std::vector<float> s{0, std::numeric_limits<float>::quiet_NaN(), 0, 0}, y(2);
  detail::log_mean_softmax({s.data(), {2, 2}}, {y.data(), {1, 2}});
  CHECK((std::isnan(y[0]) && std::isnan(y[1])));
}
