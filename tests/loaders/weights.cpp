// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/weights.hpp>

#include "support/data.hpp"
#include "support/files.hpp"

#include <doctest/doctest.h>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("weights are read by the kind that the file's name says") {
  temporary_folder const folder;
  weights w;
  w.parameters["a.weight"] = {{2}, {1, 2}};
  write_safetensors(folder / "a.safetensors", w);
  CHECK(read_weights(folder / "a.safetensors").parameters.at("a.weight").values == w.parameters["a.weight"].values);
  CHECK_THROWS_AS((void)read_weights(folder / "a.caffemodel"), error);
}

TEST_CASE("data: a caffemodel may have any name") {
  CHECK(read_weights(data_path("models/lenet/lenet_iter_10000")).parameters.contains("ip2.weight"));
}
