// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pareidolia::detail {

static_assert(std::endian::native == std::endian::little, "the file formats are little endian and are copied as they are");

/// What a loader may allocate for a file of `size` bytes, its result included: 4 times the size, and a constant for what no size bounds
/// (streams, the first node of a map). Loaders of compressed formats have limits of their own. Each checks before it allocates.
[[nodiscard]] constexpr std::uint64_t allocation_limit(std::uint64_t size) { return 4 * size + (std::uint64_t{1} << 20); }

/// What deflate, and so gzip and PNG, can expand a byte to: 258 bytes for two bits.
constexpr std::uint64_t largest_deflate_ratio = 1032;

/// A file that is read in pieces, so that a loader holds its result and no second copy of the bytes.
///
/// Read, not mapped: a mapped file that another program makes shorter ends the process with SIGBUS, and its pages count as the process's
/// until they are given back. Here it is an error like any other, and memory is one window of 4 KB.
/// Errors of the constructor name the file: missing, a folder, no regular file, not readable, larger than `limit` bytes. What goes wrong
/// later is an error of the file's content; whoever knows the content names the file.
class file_reader {
 public:
  explicit file_reader(std::filesystem::path const& path, std::uint64_t limit = std::uint64_t{1} << 36) {
    std::string const where = path.string() + ": ";
    std::error_code failure;
    auto const status = std::filesystem::status(path, failure);
    if (status.type() == std::filesystem::file_type::not_found) fail(where, "there is no such file");
    if (is_directory(status)) fail(where, "this is a folder; name a file in it");
    if (failure) fail(where, failure.message());
    if (!is_regular_file(status)) fail(where, "this is a device or a pipe; give a regular file");
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) fail(where, "the file cannot be opened; check its permissions (", std::system_category().message(errno), ")");
    struct stat found {};
    std::string problem;
    if (::fstat(descriptor_, &found) != 0)
      problem = std::system_category().message(errno);
    else if (size_ = static_cast<std::uint64_t>(found.st_size); size_ > limit)
      problem = text("the file has ", size_, " bytes; more than ", limit, " are not read");
    if (problem.empty()) return;
    ::close(descriptor_);
    fail(where, problem);
  }
  file_reader(file_reader const&) = delete;
  file_reader& operator=(file_reader const&) = delete;
  ~file_reader() { ::close(descriptor_); }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The bytes from `first` on, as many as `out` has room for.
  void read(std::uint64_t first, std::span<char> out) const {
    while (!out.empty()) {
      ::ssize_t const count = ::pread(descriptor_, out.data(), out.size(), static_cast<::off_t>(first));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("the file could not be read (", std::system_category().message(errno), ")");
      if (count == 0) fail("the file ended before its size; another program writes it");
      first += static_cast<std::uint64_t>(count);
      out = out.subspan(static_cast<std::size_t>(count));
    }
  }

  /// What the window holds from `first` on: at least `count` <= 4096 bytes, fewer only where the file ends. Valid until the next call.
  [[nodiscard]] std::string_view peek(std::uint64_t first, std::size_t count) {
    if (first >= size_) return {};
    auto const wanted = std::min<std::uint64_t>(count, size_ - first);
    if (first < window_first_ || first + wanted > window_first_ + window_size_) {
      window_size_ = 0;
      auto const room = static_cast<std::size_t>(std::min<std::uint64_t>(window_.size(), size_ - first));
      read(first, std::span(window_).first(room));
      window_first_ = first;
      window_size_ = room;
    }
    auto const offset = static_cast<std::size_t>(first - window_first_);
    return std::string_view(window_.data(), window_size_).substr(offset);
  }

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0, window_first_ = 0;
  std::size_t window_size_ = 0;
  std::array<char, 4096> window_;
};

/// Calls visit(value) for each T in bytes [first, last) of the file, in order; what is left after the last whole T is not looked at.
template <class T, class Visit>
void for_each_value(file_reader const& file, std::uint64_t first, std::uint64_t last, Visit const& visit) {
  std::array<T, 16384 / sizeof(T)> piece;
  for (std::uint64_t rest = (last - first) / sizeof(T); rest > 0;) {
    auto const values = std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(rest, piece.size())));
    file.read(first, {reinterpret_cast<char*>(values.data()), values.size_bytes()});
    for (T const value : values) visit(value);
    first += values.size_bytes();
    rest -= values.size();
  }
}

/// All bytes of a file. Errors: those of file_reader.
[[nodiscard]] inline std::string read_file(std::filesystem::path const& path, std::uint64_t limit = std::uint64_t{1} << 36) {
  file_reader const file(path, limit);
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  try {
    file.read(0, bytes);
  } catch (error const& e) {
    fail(path.string(), ": ", e.what());
  }
  return bytes;
}

/// The T whose bytes start at `from`, which need not be aligned.
template <class T>
[[nodiscard]] T load(char const* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace pareidolia::detail
