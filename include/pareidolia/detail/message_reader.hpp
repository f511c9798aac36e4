// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/varint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pareidolia::detail {

/// What tag_and_type() of a field is, by its number in the .proto file. A field of the wrong wire type is unknown, as protobuf has it.
namespace wire {
constexpr std::uint32_t varint(std::uint32_t number) { return number << 3; }
constexpr std::uint32_t fixed64(std::uint32_t number) { return number << 3 | 1; }
constexpr std::uint32_t message(std::uint32_t number) { return number << 3 | 2; }  ///< text and bytes too
constexpr std::uint32_t packed(std::uint32_t number) { return message(number); }
constexpr std::uint32_t fixed32(std::uint32_t number) { return number << 3 | 5; }
}  // namespace wire

/// A protobuf message that stays in its file: what protozero::pbf_reader is for bytes in memory.
///
///     for (message_reader fields(file); fields.next();)
///       if (fields.tag_and_type() == wire::packed(5)) fields.each<float>([&](float v) { values.push_back(v); });
///
/// next() reads the tag and the number or the length; the content of a field is read only when it is asked for, so skipping costs nothing
/// and needs no call. A copy reads on by itself. Small messages are quicker as bytes(limit) in a protozero::pbf_reader.
/// Errors: protozero's exceptions where a field is damaged or longer than its message.
class message_reader {
 public:
  explicit message_reader(file_reader& file) : message_reader(file, 0, file.size()) {}

  /// To the next field, or false at the end of the message.
  bool next() {
    if (at_ == last_) return false;
    auto const tag = read_varint();
    auto const number = tag >> 3;
    if (number == 0 || number > (1u << 29) - 1) throw protozero::invalid_tag_exception{};
    tag_ = static_cast<std::uint32_t>(tag);
    switch (tag & 7) {
      case 0:
        bits_ = read_varint();
        break;
      case 1:
        bits_ = read_fixed<std::uint64_t>();
        break;
      case 2:
        size_ = read_varint();
        content_ = at_;
        if (size_ > last_ - at_) throw protozero::end_of_buffer_exception{};
        at_ += size_;
        break;
      case 5:
        bits_ = read_fixed<std::uint32_t>();
        break;
      default:
        throw protozero::unknown_pbf_wire_type_exception{};
    }
    return true;
  }

  [[nodiscard]] std::uint32_t tag_and_type() const { return tag_; }

  /// The bits of a varint, fixed32 or fixed64: negative numbers as two's complement, floats for std::bit_cast.
  [[nodiscard]] std::uint64_t bits() const { return bits_; }

  // Of a message, text, bytes or packed numbers:
  [[nodiscard]] message_reader message() const { return {*file_, content_, content_ + size_}; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< in bytes
  [[nodiscard]] std::string bytes(std::size_t limit) const {
    if (size_ > limit) fail("a text or a list in it has ", size_, " bytes; at most ", limit, " are read");
    std::string result(static_cast<std::size_t>(size_), '\0');
    file_->read(content_, result);
    return result;
  }
  /// Calls visit(value) for each T of packed numbers of fixed size.
  template <class T, class Visit>
  void each(Visit const& visit) const {
    if (size_ % sizeof(T) != 0) throw protozero::invalid_length_exception{};
    for_each_value<T>(*file_, content_, content_ + size_, visit);
  }

 private:
  message_reader(file_reader& file, std::uint64_t first, std::uint64_t last) : file_(&file), at_(first), last_(last) {}

  /// What is left of the message, as far as a tag or a number can reach.
  [[nodiscard]] std::string_view ahead() {
    auto const wanted = std::min<std::uint64_t>(protozero::max_varint_length, last_ - at_);
    return file_->peek(at_, static_cast<std::size_t>(wanted)).substr(0, static_cast<std::size_t>(wanted));
  }
  std::uint64_t read_varint() {
    auto const text = ahead();
    char const* position = text.data();
    auto const value = protozero::decode_varint(&position, text.data() + text.size());
    at_ += static_cast<std::uint64_t>(position - text.data());
    return value;
  }
  template <class T>
  std::uint64_t read_fixed() {
    auto const text = ahead();
    if (text.size() < sizeof(T)) throw protozero::end_of_buffer_exception{};
    at_ += sizeof(T);
    return load<T>(text.data());
  }

  file_reader* file_;
  std::uint64_t at_, last_, bits_ = 0, content_ = 0, size_ = 0;
  std::uint32_t tag_ = 0;
};

}  // namespace pareidolia::detail
