// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/models/weights.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail::safetensors {

/// Bytes of the longest header of a file of `size` bytes. Names, shapes and metadata may take up to 16 times their text, so a header that
/// is most of a file would exceed allocation_limit(); real ones are far below a hundredth.
[[nodiscard]] constexpr std::uint64_t longest_header(std::uint64_t size) { return std::max<std::uint64_t>(65536, size / 8); }

/// A tensor whose shape is known and whose values, bytes [begin, end) of the data, are still to be read.
struct entry {
  std::map<std::string, parameter>::iterator content;
  std::string kind;
  std::uint64_t begin = 0, end = 0;
};

/// Whole numbers and truth values: counters and the like, which no network computes with.
[[nodiscard]] inline bool is_whole(std::string_view kind) {
  return kind == "BOOL" || kind == "I8" || kind == "U8" || kind == "I16" || kind == "U16" || kind == "I32" || kind == "U32" ||
         kind == "I64" || kind == "U64";
}
[[nodiscard]] inline std::size_t width_of(std::string_view kind) {
  if (kind == "F64" || kind == "I64" || kind == "U64") return 8;
  if (kind == "F32" || kind == "I32" || kind == "U32") return 4;
  if (kind == "F16" || kind == "BF16" || kind == "I16" || kind == "U16") return 2;
  if (is_whole(kind)) return 1;
  fail("its type is ", kind, "; only F32, F64, F16 and BF16 are read");
}

/// Reads a header event by event, without a tree of it. The format knows an object of objects of texts and lists of numbers, and every name
/// once; all else is refused where it begins.
class header_reader final : public nlohmann::json::json_sax_t {
 public:
  /// Tensors and metadata go to `result`; `data` bytes follow the header.
  header_reader(weights& result, std::uint64_t data) : result_(result), data_(data) {}

  /// The tensors in the order of their data; those of whole numbers only if they are wanted.
  std::vector<entry> read(std::string_view header, bool whole_ones = false) {
    if (!header.starts_with('{')) fail("its header does not start with '{'; this is no safetensors file");
    nlohmann::json::sax_parse(header, this);
    std::sort(entries_.begin(), entries_.end(),
              [](entry const& a, entry const& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t covered = 0;
    for (entry const& tensor : entries_) {
      if (tensor.begin != covered)
        fail("tensor '", tensor.content->first, "' ", tensor.begin < covered ? "overlaps another" : "leaves a gap before it");
      covered = tensor.end;
    }
    if (covered != data_) fail("it has ", data_ - covered, " bytes that belong to no tensor");
    if (whole_ones) return std::move(entries_);
    std::erase_if(entries_, [this](entry const& tensor) {
      if (is_whole(tensor.kind)) result_.parameters.erase(tensor.content);
      return is_whole(tensor.kind);
    });
    return std::move(entries_);
  }

  bool start_object(std::size_t) override { return ++depth_ <= 2 ? true : misplaced(); }
  bool end_object() override {
    if (depth_ == 2 && !in_metadata()) finish();
    --depth_;
    return true;
  }
  bool key(std::string& text) override {
    if (depth_ == 2) {
      key_ = std::move(text);
      if (in_metadata() || key_ == "dtype" || key_ == "shape" || key_ == "data_offsets") return true;
      refuse("it has an entry '", key_, "', which the format does not know");
    }
    name_ = std::move(text);
    if (in_metadata()) return true;
    tensor_ = {};
    auto const [content, is_new] = result_.parameters.try_emplace(name_);
    if (!is_new) fail("two tensors are named '", name_, "'");
    tensor_.content = content;
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ == 2 && in_metadata()) {
      if (!result_.metadata.try_emplace(key_, std::move(text)).second) fail("its metadata has '", key_, "' twice");
      return true;
    }
    if (depth_ != 2 || key_ != "dtype" || tensor_.kind) return misplaced();
    tensor_.kind = std::move(text);
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata() || key_ == "dtype" || list_ != nullptr) return misplaced();
    auto& list = key_ == "shape" ? tensor_.shape : tensor_.offsets;
    if (list) return misplaced();
    list_ = &list.emplace();
    return true;
  }
  bool end_array() override {
    list_ = nullptr;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    constexpr std::size_t longest = 32;
    if (list_ == nullptr) return misplaced();
    if (list_->size() == longest) refuse("its ", key_, " has more than ", longest, " numbers");
    list_->push_back(value);
    return true;
  }
  bool null() override { return misplaced(); }
  bool boolean(bool) override { return misplaced(); }
  bool number_integer(std::int64_t) override { return misplaced(); }
  bool number_float(double, std::string const&) override { return misplaced(); }
  bool binary(nlohmann::json::binary_t&) override { return misplaced(); }
  bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const&) override {
    fail("its header is not valid JSON from byte ", position, " on");
  }

 private:
  /// A tensor as the header describes it.
  struct description {
    std::map<std::string, parameter>::iterator content;
    std::optional<std::string> kind;
    std::optional<std::vector<std::uint64_t>> shape, offsets;
  };

  [[nodiscard]] bool in_metadata() const { return name_ == "__metadata__"; }

  template <class... Parts>
  [[noreturn]] void refuse(Parts const&... parts) const {
    fail("tensor '", name_, "': ", parts...);
  }
  [[noreturn]] bool misplaced() const {
    if (in_metadata() && depth_ == 2) fail("its metadata '", key_, "' is not one text");
    if (in_metadata()) fail("its metadata is not an object");
    if (list_ != nullptr) refuse("its ", key_, " must be whole numbers from 0");
    if (depth_ == 1) refuse("its entry in the header is not an object");
    if (key_ == "dtype") refuse("its dtype is not one text");
    refuse("its ", key_, " is not one list");
  }

  /// Checks a tensor as far as its own entry goes.
  void finish() {
    if (!tensor_.kind) refuse("it has no dtype");
    if (!tensor_.shape) refuse("it has no shape");
    if (!tensor_.offsets) refuse("it has no data_offsets");
    if (tensor_.offsets->size() != 2) refuse("its data_offsets are not two numbers");
    auto const begin = tensor_.offsets->front(), end = tensor_.offsets->back();
    if (begin > end || end > data_)
      refuse("its bytes ", begin, " to ", end, " are not inside the ", data_, " bytes of data; the file is cut short or damaged");
    std::uint64_t bytes = 1;
    try {
      bytes = width_of(*tensor_.kind);
    } catch (error const& e) {
      refuse(e.what());
    }
    bool const empty = std::find(tensor_.shape->begin(), tensor_.shape->end(), 0u) != tensor_.shape->end();
    bool fits = true;
    for (std::uint64_t const extent : *tensor_.shape) {
      fits = fits && (empty || bytes <= (end - begin) / extent);
      bytes = fits ? bytes * extent : 0;
    }
    if (!fits || bytes != end - begin) refuse("its shape and type disagree with its ", end - begin, " bytes");
    tensor_.content->second.shape.assign(tensor_.shape->begin(), tensor_.shape->end());
    entries_.push_back({tensor_.content, std::move(*tensor_.kind), begin, end});
  }

  weights& result_;
  std::uint64_t data_;
  std::vector<entry> entries_;
  int depth_ = 0;
  std::string name_, key_;
  description tensor_;
  std::vector<std::uint64_t>* list_ = nullptr;
};

}  // namespace pareidolia::detail::safetensors
