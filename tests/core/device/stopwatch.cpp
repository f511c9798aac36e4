// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/stopwatch.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

namespace pareidolia_test {

TEST_CASE("a stopwatch of the device adds up what lies between start and stop") {
  if (!has_device()) return;
  auto const values = random_values<2>({30, 100}, 1);
  auto const y = on_device(values), p = on_device(values);
  stopwatch<space::device> time;
  CHECK(time.seconds() == 0);
  time.start();
  softmax_rows(y.view(), p.view());
  time.stop();
  double const once = time.seconds();
  CHECK(once > 0);
  softmax_rows(y.view(), p.view());
  CHECK(time.seconds() == once);
  for (int time_and_again : {0, 1}) {
    static_cast<void>(time_and_again);
    time.start();
    softmax_rows(y.view(), p.view());
    time.stop();
  }
  CHECK(time.seconds() > once);
}

}  // namespace pareidolia_test
