// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/safetensors.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

std::string file_of(std::string const& header, std::string const& data) {
  std::uint64_t const length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}
template <class T>
std::string bytes_of(std::vector<T> const& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

weights read(std::string const& bytes) {
  temporary_folder const folder;
  return read_safetensors(put(folder / "w.safetensors", bytes));
}
std::string refusal(std::string const& header, std::string const& data) {
  return error_of([&] { read(file_of(header, data)); });
}

weights sample() {
  weights w;
  w.parameters["b.weight"] = {{2, 3}, {1, -2, 3.5f, 4, 5, 1e-42f}};
  w.parameters["a.bias"] = {{3}, {0, -0.f, 3.4e38f}};
  w.parameters["scalar"] = {{}, {7}};
  w.parameters["nothing"] = {{4, 0}, {}};
  w.metadata = {{"seed", "42"}, {"command", "train \"x\" \xc3\xa9\n"}};
  return w;
}

TEST_CASE("what was written is read again") {
  temporary_folder const folder;
  write_safetensors(folder / "w", sample());
  weights const w = read_safetensors(folder / "w");
  CHECK(w.metadata == sample().metadata);
  CHECK(w.source == (folder / "w").string());
  REQUIRE(w.parameters.size() == 4);
  for (auto const& [name, p] : sample().parameters) {
    CHECK(w.parameters.at(name).shape == p.shape);
    CHECK(w.parameters.at(name).values == p.values);
  }
}

TEST_CASE("the same content is the same bytes, and these bytes") {
  temporary_folder const folder;
  weights w;
  w.parameters["z"] = {{1}, {1}};
  w.parameters["a"] = {{2}, {2, 3}};
  w.metadata = {{"k", "v"}};
  write_safetensors(folder / "w", w);
  std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]},"z":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  CHECK(detail::read_file(folder / "w") == file_of(header, bytes_of<float>({2, 3, 1})));
}

TEST_CASE("half, bfloat and double tensors become floats") {
  weights const w =
      read(file_of(R"({"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},)"
                   R"("d":{"dtype":"F64","shape":[1],"data_offsets":[16,24]}})",
                   bytes_of<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x0400, 0x7bff, 0x3555, 0x3f80, 0xc049}) + bytes_of<double>({0.1})));
  CHECK(w.parameters.at("h").values ==
        std::vector<float>{1.f, -2.f, std::ldexp(1.f, -24), std::ldexp(1.f, -14), 65504.f, std::ldexp(1365.f, -12)});
  CHECK(w.parameters.at("b").values == std::vector<float>{1.f, -3.140625f});
  CHECK(w.parameters.at("d").values == std::vector<float>{0.1f});
}

TEST_CASE("tensors of whole numbers are left out, but their bytes are accounted for") {
  std::string const header =
      R"({"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
  std::string const bytes = bytes_of<std::uint64_t>({7}) + bytes_of<float>({2});
  weights const w = read(file_of(header, bytes));
  CHECK(w.parameters.size() == 1);
  CHECK(w.parameters.at("w").values == std::vector<float>{2});
  CHECK(contains(refusal(header, bytes.substr(0, 11)), "not inside the 11 bytes"));
}

TEST_CASE("each rule of the format is checked") {
  std::string const eight(8, '\0');
  auto const tensor = [](std::string const& rest) { return "{\"t\":{" + rest + "}}"; };
  std::string const good = tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])");
  CHECK(refusal(good, eight) == "no error");
  CHECK(contains(refusal(good, eight + "x"), "1 bytes that belong to no tensor"));
  CHECK(contains(refusal(good, eight.substr(1)), "tensor 't': its bytes 0 to 8 are not inside the 7 bytes"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), eight), "shape and type disagree"));
  CHECK(
      contains(refusal(tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), eight), "shape and type disagree"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8])"), eight), "shape and type disagree"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[0,2],"data_offsets":[0,8])"), eight), "shape and type disagree"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), eight), "whole numbers"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), eight), "whole numbers"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), eight), "not one list"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), eight), "not inside"));
  CHECK(contains(refusal(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), eight), "not two numbers"));
  CHECK(contains(refusal(tensor(R"("dtype":"F8_E4M3","shape":[1],"data_offsets":[0,8])"), eight), "only F32, F64, F16 and BF16"));
  CHECK(contains(refusal(tensor(R"("dtype":5,"shape":[1],"data_offsets":[0,8])"), eight), "dtype"));
  CHECK(contains(refusal(tensor(R"("shape":[2],"data_offsets":[0,8])"), eight), "no dtype"));
  CHECK(contains(refusal(R"({"t":3})", ""), "not an object"));
  CHECK(contains(refusal(R"({"__metadata__":{"a":1}})", ""), "metadata 'a'"));
  CHECK(contains(refusal(R"([])", ""), "start with '{'"));
  CHECK(contains(refusal(R"({"t":)", ""), "not valid JSON"));
  CHECK(contains(refusal("{\"t\":" + std::string(10000, '['), ""), "not an object"));
  std::string const twice = R"("dtype":"F32","shape":[1],"data_offsets":)";
  CHECK(contains(refusal("{\"a\":{" + twice + "[0,4]},\"a\":{" + twice + "[4,8]}}", eight), "two tensors are named 'a'"));
  CHECK(contains(refusal("{\"a\":{" + twice + "[0,4]},\"b\":{" + twice + "[2,6]}}", eight), "overlaps"));
  CHECK(contains(refusal("{\"a\":{" + twice + "[0,4]},\"b\":{" + twice + "[0,4]}}", eight), "overlaps"));
  CHECK(contains(refusal("{\"a\":{" + twice + "[4,8]}}", eight), "gap"));
}

TEST_CASE("the length of the header is checked before it is believed") {
  temporary_folder const folder;
  for (std::string const& bytes :
       {std::string(), std::string("1234567"), std::string(8, '\xff'), std::string("\x09\0\0\0\0\0\0\0{}      ", 16)}) {
    auto const path = put(folder / "short", bytes);
    CHECK(contains(error_of([&] { (void)read_safetensors(path); }), "short: "));
  }
}

TEST_CASE("values that are no finite floats are refused with the tensor's name") {
  auto const header = [](char const* kind, int size) {
    return "{\"t\":{\"dtype\":\"" + std::string(kind) + "\",\"shape\":[1],\"data_offsets\":[0," + std::to_string(size) + "]}}";
  };
  CHECK(contains(refusal(header("F32", 4), bytes_of<float>({std::nanf("")})), "tensor 't': value 0 is "));
  CHECK(contains(refusal(header("F32", 4), bytes_of<float>({std::numeric_limits<float>::infinity()})), "value 0 is inf"));
  CHECK(contains(refusal(header("F16", 2), bytes_of<std::uint16_t>({0x7c00})), "value 0 is inf"));
  CHECK(contains(refusal(header("BF16", 2), bytes_of<std::uint16_t>({0xff80})), "value 0 is -inf"));
  CHECK(contains(refusal(header("F64", 8), bytes_of<double>({1e300})), "value 0 is 1e+300"));
}

TEST_CASE("every damaged safetensors file is read or refused, every cut one refused") {
  temporary_folder const folder;
  write_safetensors(folder / "good", sample());
  std::string const good = detail::read_file(folder / "good");
  auto const result = read_damaged(folder / "bad", good, read_safetensors);
  CHECK(result.refused_when_cut == good.size());
  CHECK(result.refused > result.accepted / 2);
}

TEST_CASE("content that the format cannot hold is refused before anything is written") {
  temporary_folder const folder;
  auto const error_with = [&](auto const& spoil) {
    weights w = sample();
    spoil(w);
    return error_of([&] { write_safetensors(folder / "w", w); });
  };
  CHECK(contains(error_with([](weights& w) { w.parameters["a.bias"].shape = {4}; }),
                 "w: tensor 'a.bias': its shape asks for 4 values, it has 3"));
  CHECK(contains(error_with([](weights& w) { w.parameters["__metadata__"] = {{}, {1}}; }), "__metadata__"));
  CHECK(contains(error_with([](weights& w) { w.metadata["x"] = "\xff"; }), "UTF-8"));
  CHECK(folder.files() == 0);
}

TEST_CASE("a safetensors file on a full disk is one error and no file") {
  temporary_folder const folder;
  weights w;
  w.parameters["t"] = {{100000}, std::vector<float>(100000)};
  {
    full_disk const full(4096);
    CHECK(contains(error_of([&] { write_safetensors(folder / "w", w); }), "w: cannot be written"));
  }
  CHECK(folder.files() == 0);
}

}  // namespace
