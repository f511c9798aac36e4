// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/npy.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

using shape = std::vector<std::size_t>;

std::string file_of(int major, std::string const& header, std::vector<float> const& values) {
  std::string bytes = "\x93NUMPY" + std::string(1, static_cast<char>(major)) + std::string(1, '\0');
  auto const length = static_cast<std::uint32_t>(header.size());
  char raw[4];
  std::memcpy(raw, &length, 4);
  bytes.append(raw, major == 1 ? 2 : 4);
  bytes += header;
  std::string data(4 * values.size(), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
  return bytes + data;
}

npy_array read(std::string const& bytes) {
  temporary_folder const folder;
  return read_npy(put(folder / "a.npy", bytes));
}
std::string refusal(std::string const& header, std::vector<float> const& values = {1, 2}) {
  return error_of([&] { read(file_of(1, header, values)); });
}

TEST_CASE("arrays of any rank are written and read again") {
  temporary_folder const folder;
  for (shape const& s : {shape{}, shape{6}, shape{2, 3}, shape{1, 2, 1, 3}, shape{0, 5}}) {
    std::size_t count = 1;
    for (std::size_t const extent : s) count *= extent;
    std::vector<float> values{1, -2, 3.5f, 1e-42f, std::numeric_limits<float>::infinity(), 6};
    values.resize(count);
    write_npy(folder / "a.npy", s, values);
    CHECK(detail::read_file(folder / "a.npy").size() == 128 + 4 * count);
    npy_array const again = read_npy(folder / "a.npy");
    CHECK(again.shape == s);
    CHECK(again.values == values);
  }
}

TEST_CASE("a tensor is written and read again, and only as one of its rank") {
  temporary_folder const folder;
  auto t = filled<float, 3>({2, 3, 4}, 0.5f);
  t(1, 2, 3) = 7;
  write_npy(folder / "t.npy", as_view(t));
  CHECK(read_npy_tensor<3>(folder / "t.npy") == t);
  CHECK(contains(error_of([&] { (void)read_npy_tensor<2>(folder / "t.npy"); }), "t.npy: it has 3 dimensions, not 2"));
}

TEST_CASE("format versions 1, 2 and 3 are read, in any order of keys and with any spaces") {
  for (int const major : {1, 2, 3}) {
    CHECK(read(file_of(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }  \n", {1, 2})).shape == shape{2});
    CHECK(read(file_of(major, "{'shape':(1,2),'fortran_order':False,'descr':'<f4'}", {1, 2})).values == std::vector<float>{1, 2});
  }
  CHECK(contains(error_of([] { read(file_of(4, "{}", {})); }), "version is 4"));
}

TEST_CASE("other types, orders and headers are refused") {
  CHECK(contains(refusal("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"), "a.npy: its type is '<f8'"));
  CHECK(contains(refusal("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }"), "Fortran order"));
  CHECK(contains(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"), "asks for 12 bytes, it holds 8"));
  CHECK(contains(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387906,), }"), "too large"));
  for (char const* header :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "{'descr", "{'descr': '<f4' 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }"})
    CHECK(contains(refusal(header), "its header is damaged"));
  CHECK(contains(error_of([] { read("no numpy file"); }), "this is no .npy file"));
  CHECK(contains(error_of([] { read(std::string("\x93NUMPY\x01\x00\xff\xff{}", 12)); }), "cut short"));
}

TEST_CASE("every damaged .npy file is read or refused, every cut one refused") {
  temporary_folder const folder;
  std::string const good = file_of(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n", {1, 2});
  auto const result = read_damaged(folder / "a.npy", good, read_npy);
  CHECK(result.refused_when_cut == good.size());
}

TEST_CASE("a shape that disagrees with the values is not written") {
  temporary_folder const folder;
  CHECK(contains(error_of([&] { write_npy(folder / "a.npy", shape{3}, std::vector<float>{1}); }), "a.npy: the shape asks for 3 values"));
  CHECK(folder.files() == 0);
}

TEST_CASE("data: the reference logits of LeNet are 10,000 rows that choose the classes they should") {
  auto const logits = read_npy_tensor<2>(data_path("reference/mnist_lenet_fooling_ip2_t10k_f32.npy"));
  CHECK(logits.shape()[0] == 10000);
  CHECK(logits.shape()[1] == 10);
  CHECK(logits(0, 0) == doctest::Approx(-2.598679));
  auto const first = as_view(logits).row(0);
  CHECK(std::max_element(first.begin(), first.end()) - first.begin() == 7);  // the first test image is a seven
}

}  // namespace
