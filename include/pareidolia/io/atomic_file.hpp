// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace pareidolia {

/// A file that appears complete or not at all.
///
/// The bytes go to a temporary file in the same folder; commit() syncs it and renames it to `path`, which replaces what was there.
/// Destroyed without commit, it leaves nothing behind and a former file at `path` as it was.
///
///     atomic_file file("weights.safetensors");
///     file.write(header);
///     file.write(std::as_bytes(std::span(values)));
///     file.commit();
///
/// Errors: the folder is missing or not writable, `path` is a folder or a device, the disk is full.
class atomic_file {
 public:
  explicit atomic_file(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code ignored;
    if (auto const status = std::filesystem::status(path_, ignored); exists(status) && !is_regular_file(status))
      detail::fail(path_.string(), ": cannot be written, because a folder or a device has that name; choose another");
    static std::atomic<unsigned> serial{0};
    do {
      temporary_ = path_.parent_path() / detail::text(".pareidolia-", ::getpid(), "-", serial++, ".tmp");
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail_with(errno);
  }
  atomic_file(atomic_file const&) = delete;
  atomic_file& operator=(atomic_file const&) = delete;
  ~atomic_file() { discard(); }

  void write(std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
      ::ssize_t const count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) fail_with(errno);
      if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Ends the writing; nothing may be written after it.
  void commit() {
    if (::fsync(descriptor_) != 0) fail_with(errno);
    int const closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail_with(errno);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with(errno);
    temporary_.clear();
    sync_folder();
  }

 private:
  [[noreturn]] void fail_with(int code) const {
    detail::fail(path_.string(), ": cannot be written (", std::system_category().message(code),
                 "); check that its folder exists and is writable and that the disk has room");
  }

  /// The new name survives a power cut once its folder is synced; file systems that cannot do that are left as they are.
  void sync_folder() const {
    std::filesystem::path const parent = path_.parent_path();
    int const folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::fsync(folder);
    ::close(folder);
  }

  void discard() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

namespace detail {

/// Writes a whole file at once, through an atomic_file.
inline void write_file(std::filesystem::path const& path, std::initializer_list<std::span<std::byte const>> parts) {
  atomic_file file(path);
  for (auto const part : parts) file.write(part);
  file.commit();
}
inline void write_file(std::filesystem::path const& path, std::string_view text) { write_file(path, {std::as_bytes(std::span(text))}); }

}  // namespace detail
}  // namespace pareidolia
