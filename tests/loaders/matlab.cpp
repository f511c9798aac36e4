// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/matlab.hpp>

#include <pareidolia/core/batch.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"
#include "support/mat_files.hpp"
#include "support/samples.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

using shape = std::vector<std::size_t>;

std::map<std::string, parameter> read(std::string const& bytes) {
  temporary_folder const folder;
  return read_matlab(put(folder / "a.mat", bytes));
}
std::string refusal(std::string const& bytes) {
  return error_of([&] { (void)read(bytes); });
}

constexpr std::uint32_t of_double = 6, of_single = 7;
std::string const cube = mat::array<float>("cube", of_single, {2, 3, 2}, 7, {0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121});

/// A file with one array of values of one type in the file.
template <class T>
std::vector<float> read_as(std::uint32_t type, std::vector<T> const& values) {
  auto const arrays = read(mat::file({mat::array<T>("a", of_double, {1, static_cast<std::int32_t>(values.size())}, type, values)}));
  return arrays.at("a").values;
}

TEST_CASE("arrays keep their indices, plain and compressed") {
  for (std::string const& element : {cube, mat::compressed(cube)}) {
    auto const arrays = read(mat::file({element}));
    REQUIRE(arrays.size() == 1);
    CHECK(arrays.at("cube").shape == shape{2, 3, 2});
    CHECK(arrays.at("cube").values == std::vector<float>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});  // 100 i + 10 j + k
  }
}

TEST_CASE("values of every type are converted, also the few that fit into a tag") {
  CHECK(read_as<std::int8_t>(1, {1, -2, 3, -4, 5}) == std::vector<float>{1, -2, 3, -4, 5});
  CHECK(read_as<std::uint8_t>(2, {1, 200}) == std::vector<float>{1, 200});
  CHECK(read_as<std::int16_t>(3, {1, -2}) == std::vector<float>{1, -2});
  CHECK(read_as<std::uint16_t>(4, {1, 65535, 3}) == std::vector<float>{1, 65535, 3});
  CHECK(read_as<std::int32_t>(5, {-70000}) == std::vector<float>{-70000});
  CHECK(read_as<std::uint32_t>(6, {3000000000u, 2}) == std::vector<float>{3e9f, 2});
  CHECK(read_as<float>(7, {-.5f}) == std::vector<float>{-.5f});
  CHECK(read_as<double>(9, {.1, -2}) == std::vector<float>{.1f, -2});
  CHECK(read_as<std::int64_t>(12, {-5, std::int64_t{1} << 40}) == std::vector<float>{-5, 0x1p40f});
  CHECK(read_as<std::uint64_t>(13, {std::uint64_t{1} << 63}) == std::vector<float>{0x1p63f});
  CHECK(read_as<double>(9, {}).empty());
}

TEST_CASE("a file of several arrays gives those of numbers") {
  std::string const text = mat::array<std::uint16_t>("text", 4, {1, 2}, 4, {65, 66});
  std::string const complex = mat::array<double>("z", of_double | 0x800, {1, 1}, 9, {1});
  std::string const unnamed = mat::array<std::uint8_t>("", 9, {1, 1}, 2, {1});
  std::string const logical = mat::array<std::uint8_t>("logical", 9 | 0x200, {1, 2}, 2, {0, 1});
  auto const arrays = read(mat::file({text, cube, mat::compressed(text), complex, unnamed, mat::compressed(logical)}));
  REQUIRE(arrays.size() == 2);
  CHECK(arrays.at("cube").values.size() == 12);
  CHECK(arrays.at("logical").values == std::vector<float>{0, 1});
  CHECK(read(mat::file({})).empty());
}

TEST_CASE("values of 10,000 in pieces keep their order") {
  std::vector<double> values;
  for (int j = 0; j < 10'000; ++j) values.push_back(j);
  auto const array = read(mat::file({mat::compressed(mat::array<double>("a", of_double, {100, 100}, 9, values))})).at("a");
  bool right = true;
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t j = 0; j < 100; ++j) right = right && array.values[i * 100 + j] == static_cast<float>(j * 100 + i);
  CHECK(right);
}

TEST_CASE("files that are not of version 5 are refused by name") {
  CHECK(contains(refusal("hello"), "a.mat: this is no MATLAB file of version 5"));
  CHECK(contains(refusal(std::string(200, ' ')), "this is no MATLAB file of version 5"));
  CHECK(contains(refusal(mat::file({}, std::string("\0\2IM", 4))), "it is of version 7.3; save it with the option -v7"));
  CHECK(contains(refusal(mat::file({}, std::string("\1\0MI", 4))), "big-endian"));
  CHECK(contains(error_of([] { (void)read_matlab("nothing-here"); }), "nothing-here: there is no such file"));
}

TEST_CASE("damaged arrays are refused by name") {
  auto const of = [](std::vector<std::int32_t> const& size, std::vector<float> const& values) {
    return refusal(mat::file({mat::array<float>("a", of_single, size, 7, values)}));
  };
  CHECK(contains(of({2, 2}, {1, 2, 3}), "a.mat: an array of 4 values has 12 bytes of them"));
  CHECK(contains(of({1 << 16, 1 << 16}, {1}), "the array a is larger than 268435456 values"));
  CHECK(contains(of({-1, 1}, {1}), "the array a is larger than"));
  CHECK(contains(of({1 << 14, 1 << 14}, {1}), "the array a claims 268435456 values in 8 bytes"));
  CHECK(contains(of(std::vector<std::int32_t>(33, 1), {1}), "more than 32 dimensions"));
  CHECK(contains(of({1}, {1}), "an array has no dimensions"));
  CHECK(contains(refusal(mat::file({cube, mat::compressed(cube)})), "two arrays are named cube"));
  CHECK(contains(refusal(mat::file({mat::array<float>("a", of_single, {1, 1}, 99, {1})})), "of the unknown type 99"));
  CHECK(contains(refusal(mat::file({mat::array<float>(std::string(64, 'a'), of_single, {1, 1}, 7, {1})})),
                 "the name of an array is damaged"));
  CHECK(contains(refusal(mat::file({mat::element(9, "12345678")})), "an element is no array"));
  CHECK(contains(refusal(mat::file({mat::compressed(mat::element(9, "12345678"))})), "a compressed element is no array"));
  CHECK(contains(refusal(mat::file({mat::compressed(cube + "x")})), "something follows the values"));
  CHECK(contains(refusal(mat::file({mat::matrix(cube.substr(8) + "12345678")})), "something follows the values"));
  std::string const flags = mat::element(6, std::string(8, '\7')), dimensions = mat::element(5, std::string(8, '\1'));
  CHECK(contains(refusal(mat::file({mat::matrix(dimensions)})), "an array has no flags"));
  CHECK(contains(refusal(mat::file({mat::matrix(flags.substr(0, 12))})), "an array is cut short"));
  std::string bad = mat::compressed(cube);
  bad.back() ^= 1;  // its checksum
  CHECK(contains(refusal(mat::file({bad})), "a compressed array is damaged"));
}

TEST_CASE("every damaged MATLAB file is read or refused, every cut one refused but that of the header alone") {
  temporary_folder const folder;
  for (std::string const& good : {mat::file({cube}), mat::file({mat::compressed(cube)})}) {
    auto const result = read_damaged(folder / "a.mat", good, read_matlab);
    CHECK(result.refused_when_cut == good.size() - 1);
  }
}

TEST_CASE("a universal perturbation is one image of three channels in units of 1 / 255") {
  temporary_folder const folder;
  auto const read_image = [&](std::vector<std::string> const& elements) {
    return read_universal_perturbation(put(folder / "u", mat::file(elements)));
  };
  auto const refused = [&](std::vector<std::string> const& elements) { return error_of([&] { (void)read_image(elements); }); };
  std::string const image = mat::array<double>("r", of_double, {2, 1, 3}, 9, {-255, 0, 51, 102, 255, 25.5});
  CHECK(read_image({image}) == tensor<float, 4>{{{{-1}, {0}}, {{51 / 255.f}, {102 / 255.f}}, {{1}, {.1f}}}});
  CHECK(contains(refused({image, cube}), "u: it has 2 arrays of numbers"));
  CHECK(contains(refused({cube}), "u: its array is not of size (height, width, 3)"));
  CHECK(contains(refused({mat::array<double>("r", of_double, {0, 1, 3}, 9, {})}), "is not of size"));
  CHECK(contains(refused({mat::array<double>("r", of_double, {1, 1, 3}, 9, {1, 256, 3})}), "u: value 1 is 256"));
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(refused({mat::array<double>("r", of_double, {1, 1, 3}, 9, {1, 2, nan})}), "u: value 2 is nan"));
}

// With red and blue exchanged 59 % are fooled, with rows and columns exchanged 48 %.
TEST_CASE("data: the published perturbation for GoogLeNet, upright and in RGB, fools it on two images of three") {
  auto const added = read_universal_perturbation(data_path("universal/GoogLeNet.mat"));
  network const net{cpu_engine{}, zoo::googlenet(), read_caffemodel(data_path("models/googlenet/bvlc_googlenet.caffemodel"))};
  constexpr std::size_t count = 250, batch = 50;
  tensor<float, 4> x = sample_centres(count, 224).images;
  auto workspace = net.prepare(batch);
  auto scores = filled<float, 2>({batch, net.classes()});
  auto const labels = [&] {
    std::vector<int> result(count);
    for (std::size_t first = 0; first < count; first += batch) {
      net.forward(as_view(x).rows(first, batch), as_view(scores), workspace);
      argmax(as_view(scores), std::span(result).subspan(first, batch));
    }
    return result;
  };
  auto const before = labels();
  for (std::size_t j = 0; j < x.size(); ++j) x.data()[j] = std::clamp(x.data()[j] + added.data()[j % added.size()], 0.f, 1.f);
  auto const after = labels();
  std::size_t fooled = 0;
  for (std::size_t i = 0; i < count; ++i) fooled += before[i] != after[i];
  CHECK(fooled >= count * 66 / 100);
  CHECK(fooled <= count * 72 / 100);
  CHECK(*std::max_element(added.begin(), added.end()) == doctest::Approx(10 / 255.));
}

}  // namespace
