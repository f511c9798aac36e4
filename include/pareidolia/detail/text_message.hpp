// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <cctype>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pareidolia::detail {

/// A message in protobuf's text format: fields in order, each a scalar as it was written or a message. A view of the text.
struct text_message {
  struct field {
    std::string_view name;
    std::string_view scalar;                ///< without quotes; empty for a message
    std::unique_ptr<text_message> message;  ///< null for a scalar
  };
  std::list<field> fields;  ///< a list: unlike a vector, it never holds more than its fields
  std::size_t line = 0;     ///< it begins on

  /// Scalars of all fields of that name.
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> found;
    for (field const& f : fields)
      if (f.name == name && !f.message) found.emplace_back(f.scalar);
    return found;
  }
  /// The last scalar of that name, as protobuf has it, or `otherwise`.
  [[nodiscard]] std::string one(std::string_view name, std::string otherwise = {}) const {
    auto found = all(name);
    return found.empty() ? otherwise : std::move(found.back());
  }
  /// The last message of that name; an empty one if there is none.
  [[nodiscard]] text_message const& child(std::string_view name) const {
    static text_message const nothing;
    text_message const* found = &nothing;
    for (field const& f : fields)
      if (f.name == name && f.message) found = f.message.get();
    return *found;
  }
};

/// Reads text format. Cost: linear. Memory: 3 bytes for each of the text and 512 KB; a text of so many and so short fields that they need
/// more is refused (the files of real networks have 15 to 20 bytes a field, which takes about 60). Errors name the line; nesting is limited
/// to 32.
class text_parser {
 public:
  explicit text_parser(std::string_view text) : text_(text) {}

  text_message parse() {
    text_message top = message(0);
    if (at_ < text_.size()) error_here("a '}' that nothing opened");
    return top;
  }

 private:
  static constexpr std::size_t deepest = 32, longest = 4096;
  static constexpr std::size_t field_size = sizeof(text_message::field) + 2 * sizeof(void*);  // with the links of its list

  [[noreturn]] void error_here(std::string_view what) const { fail("line ", line_, ": ", what); }

  void skip_blank() {
    for (; at_ < text_.size(); ++at_) {
      char const c = text_[at_];
      if (c == '#') {
        while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (c == '\n') {
        ++line_;
      } else if (!std::isspace(static_cast<unsigned char>(c)) && c != ',' && c != ';') {
        return;
      }
    }
  }
  static bool belongs(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '+' || c == '/';
  }

  std::string_view word() {
    std::size_t const begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    if (at_ - begin > longest) error_here("a name or a value of more than 4096 characters");
    if (begin == at_)
      error_here(at_ < text_.size() ? "a character that begins neither a name nor a value" : "the text ends in the middle of a field");
    return text_.substr(begin, at_ - begin);
  }
  std::string_view scalar() {
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return word();
    char const quote = text_[at_++];
    std::size_t const begin = at_;
    for (; at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n'; ++at_)
      if (text_[at_] == '\\') error_here("escapes in strings are not supported");
    if (at_ >= text_.size() || text_[at_] != quote) error_here("a string without its closing quote");
    if (at_ - begin > longest) error_here("a name or a value of more than 4096 characters");
    return text_.substr(begin, at_++ - begin);
  }
  void spend(std::size_t bytes) {
    spent_ += bytes;
    if (spent_ > 3 * text_.size() + (std::size_t{1} << 19)) error_here("more fields than a text of this size should have");
  }

  text_message message(std::size_t depth) {
    if (depth > deepest) error_here("messages nested deeper than 32");
    text_message m;
    m.line = line_;
    for (skip_blank(); at_ < text_.size() && text_[at_] != '}'; skip_blank()) {
      text_message::field f{word(), {}, {}};
      spend(field_size);
      skip_blank();
      bool const colon = at_ < text_.size() && text_[at_] == ':';
      if (colon) ++at_, skip_blank();
      if (at_ < text_.size() && text_[at_] == '{') {
        ++at_;
        spend(sizeof(text_message));
        f.message = std::make_unique<text_message>(message(depth + 1));
        if (at_ >= text_.size()) error_here(text("the text ends inside '", f.name, "'"));
        ++at_;
      } else {
        if (!colon) error_here(text("'", f.name, "' has neither a value nor a message"));
        f.scalar = scalar();
      }
      m.fields.push_back(std::move(f));
    }
    return m;
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1, spent_ = 0;
};

}  // namespace pareidolia::detail
